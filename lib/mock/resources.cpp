#include <algorithm>
#include <array>
#include <charconv>

#include "json/writer.hpp"
#include "mock/call.hpp"

// The same few operations for every row of the table of resources.

namespace oai::mock {
namespace {

/// Fields of a request that name an object, and where it must be.
struct Reference {
    std::string_view field;
    std::string_view path;
};
constexpr std::array<Reference, 8> kReferences{{{"input_file_id", "/v1/files"},
                                                {"training_file", "/v1/files"},
                                                {"validation_file", "/v1/files"},
                                                {"file_id", "/v1/files"},
                                                {"file_ids", "/v1/files"},
                                                {"assistant_id", "/v1/assistants"},
                                                {"vector_store_ids", "/v1/vector_stores"},
                                                {"thread_id", "/v1/threads"}}};

const Resource& resource(std::string_view path) {
    return *resource_at(path);
}

Refusal no_such(std::string_view object, std::string_view id, std::string_view param) {
    return {.status = 404,
            .message = "No such " + std::string(object.empty() ? "item" : object) + " object: " + std::string(id),
            .param = std::string(param)};
}

/// Parent and own id of a request; a collection's requests have no own.
struct Place {
    const Resource& resource;
    std::string parent, id;
};

Place place_of(const Call& call) {
    const Resource& kind = *call.match.resource;
    const bool is_child = kind.path.find('*') != std::string_view::npos;
    const auto& [first, second] = call.match.segments;
    return {kind, url_decoded(is_child ? first : std::string_view{}), url_decoded(is_child ? second : first)};
}

Verdict check_parent(Call& call, const Place& place) {
    if (place.parent.empty()) return {};
    const Resource& parent = resource(place.resource.path.substr(0, place.resource.path.find("/*")));
    if (call.shared.objects.has(parent, {}, place.parent)) return {};
    return no_such(parent.object, place.parent, "id");
}

Verdict check_references(Call& call, const Members& fields) {
    for (const Reference& reference : kReferences) {
        const std::string* value = fields.find(reference.field);
        if (value == nullptr) continue;
        const Resource& kind = resource(reference.path);
        std::vector<std::string_view> named = array_elements(*value);
        if (value->starts_with('"')) named.emplace_back(*value);
        for (const std::string_view json : named) {
            const std::string id = decoded(json);
            if (!call.shared.objects.has(kind, {}, id)) return no_such(kind.object, id, reference.field);
        }
    }
    return {};
}

/// Views into `fields`.
std::vector<std::string_view> elements_of(const Members& fields, std::string_view name) {
    const std::string* json = fields.find(name);
    return json == nullptr ? std::vector<std::string_view>{} : array_elements(*json);
}

std::string_view status_of(const Resource& kind, std::size_t index) {
    std::string_view life = kind.life;
    for (; index != 0; --index) {
        const std::size_t blank = life.find(' ');
        if (blank == std::string_view::npos) break;
        life.remove_prefix(blank + 1);
    }
    return life.substr(0, life.find(' '));
}

void set_all(Members& into, const Members& from) {
    for (const auto& [name, json] : from.all()) {
        if (name != "id" && name != "object" && name != "created_at") into.set(name, json);
    }
}

Object new_object(const Call& call, const Place& place) {
    const Resource& kind = place.resource;
    Object object{.resource = &kind, .parent = place.parent, .id = call.new_id(kind.prefix)};
    object.members.set_text("id", object.id);
    if (!kind.object.empty()) object.members.set_text("object", kind.object);
    object.members.set("created_at", std::to_string(call.created_at));
    if (!kind.life.empty()) object.members.set_text("status", status_of(kind, 0));
    if (!kind.parent_field.empty()) object.members.set_text(kind.parent_field, place.parent);
    set_all(object.members, *Members::parse(kind.defaults));
    return object;
}

void set_file(Object& object, const UploadedFile& file) {
    object.members.set_text("filename", file.name);
    object.members.set("bytes", std::to_string(file.bytes));
    object.members.set_text("sha256", file.sha256);
    if (file.is_kept()) object.content = file.content;
}

/// The fields of a request, from JSON or from a form.
core::Result<Members> fields_of(const Call& call) {
    if (call.upload != nullptr) return call.upload->fields;
    return Members::parse(call.body);
}

Refusal unreadable(const core::Error& error) {
    return {.status = 400, .message = "We could not parse the JSON body of your request. (" + error.detail + ")"};
}

// ---- lists

/// A page: newest first unless `order=asc`, behind `after` or before `before`.
std::vector<Object> page_of(std::vector<Object> all, std::string_view query, bool& has_more) {
    constexpr std::size_t kUsual = 20, kMost = 100;
    if (query_value(query, "order") != "asc") std::reverse(all.begin(), all.end());
    const auto at = [&](std::string_view name) {
        const std::string id = query_value(query, name);
        return std::find_if(all.begin(), all.end(), [&](const Object& object) { return object.id == id; });
    };
    if (const auto before = at("before"); before != all.end()) all.erase(before, all.end());
    if (const auto after = at("after"); after != all.end()) all.erase(all.begin(), after + 1);
    const std::string limit_text = query_value(query, "limit");
    std::size_t limit = kUsual;
    std::from_chars(limit_text.data(), limit_text.data() + limit_text.size(), limit);
    limit = std::clamp<std::size_t>(limit, 1, kMost);
    has_more = all.size() > limit;
    if (has_more) all.erase(all.begin() + static_cast<std::ptrdiff_t>(limit), all.end());
    return all;
}

void append_list(std::string& out, const std::vector<Object>& page, bool has_more) {
    const auto id_or_null = [&](bool first) {
        if (page.empty()) {
            out += "null";
        } else {
            json::append_quoted(out, (first ? page.front() : page.back()).id);
        }
    };
    out += R"({"object":"list","data":[)";
    for (const Object& object : page) {
        if (&object != &page.front()) out += ',';
        object.members.append_to(out);
    }
    out += R"(],"first_id":)";
    id_or_null(true);
    out += R"(,"last_id":)";
    id_or_null(false);
    append(out, R"(,"has_more":)", has_more ? "true" : "false", "}");
}

// ---- what may follow an object's path

Verdict give_content(Call& call, const Object& object) {
    const std::string* bytes = object.members.find("bytes");
    if (bytes != nullptr && *bytes != std::to_string(object.content.size()))
        return Refusal{.status = 400, .message = "The mock keeps no content above 1 MiB: " + object.id};
    call.type = "application/octet-stream";
    call.out += object.content;
    return {};
}

/// Joins the parts of an upload to a file.
Verdict complete_upload(Call& call, const Object& upload) {
    const Resource& parts = resource("/v1/uploads/*/parts");
    const core::Result<Members> fields = fields_of(call);
    if (!fields) return unreadable(fields.error());
    Object file = new_object(call, {resource("/v1/files"), {}, {}});
    std::uint64_t bytes = 0;
    for (const std::string_view json : elements_of(*fields, "part_ids")) {
        const std::string id = decoded(json);
        const std::optional<Object> part = call.shared.objects.find(parts, upload.id, id);
        if (!part) return no_such(parts.object, id, "part_ids");
        const std::string* size = part->members.find("bytes");
        std::uint64_t part_bytes = 0;
        if (size != nullptr) std::from_chars(size->data(), size->data() + size->size(), part_bytes);
        bytes += part_bytes;
        file.content += part->content;
    }
    for (const char* name : {"filename", "purpose"}) {
        if (const std::string* value = upload.members.find(name)) file.members.set(name, *value);
    }
    file.members.set("bytes", std::to_string(bytes));
    std::string file_json;
    file.members.append_to(file_json);
    call.shared.objects.add(std::move(file));
    const auto done = call.shared.objects.change(*upload.resource, upload.parent, upload.id, [&](Object& object) {
        object.members.set_text("status", "completed");
        object.members.set("file", file_json);
    });
    if (done) done->members.append_to(call.out);
    return {};
}

/// What a batch has written when it is completed.
void finish_batch(Call& call, const Object& batch) {
    Object file = new_object(call, {resource("/v1/files"), {}, {}});
    file.content = "{\"custom_id\":\"mock\"}\n";
    file.members.set_text("filename", batch.id + "_output.jsonl");
    file.members.set_text("purpose", "batch_output");
    file.members.set("bytes", std::to_string(file.content.size()));
    call.shared.objects.change(*batch.resource, batch.parent, batch.id,
                               [&](Object& object) { object.members.set_text("output_file_id", file.id); });
    call.shared.objects.add(std::move(file));
}

/// Where a verb of this name sends the status of an object that has one.
struct Turn {
    std::string_view verb, status;
};
constexpr std::array<Turn, 4> kTurns{
    {{"cancel", "cancelled"}, {"pause", "paused"}, {"resume", "queued"}, {"submit_tool_outputs", "queued"}}};
constexpr std::array<std::string_view, 5> kEmptyLists{"events", "checkpoints", "steps", "output_items", "search"};

}  // namespace

Verdict create_object(Call& call) {
    const Place place = place_of(call);
    if (Verdict refusal = check_parent(call, place)) return refusal;
    const core::Result<Members> fields = fields_of(call);
    if (!fields) return unreadable(fields.error());
    if (Verdict refusal = check_references(call, *fields)) return refusal;

    const Resource& kind = place.resource;
    if (!kind.many.empty()) {
        std::vector<Object> made;
        for (const std::string_view element : elements_of(*fields, kind.many)) {
            const core::Result<Members> one = Members::parse(element);
            if (!one) return unreadable(one.error());
            made.push_back(new_object(call, place));
            set_all(made.back().members, *one);
        }
        append_list(call.out, made, false);
        for (Object& object : made) call.shared.objects.add(std::move(object));
        return {};
    }
    Object object = new_object(call, place);
    set_all(object.members, *fields);
    if (const std::string given = fields->text(kind.given_id); !given.empty()) {
        object.id = given;
        object.members.set_text("id", given);
    }
    if (kind.is_file) {
        if (call.upload == nullptr || call.upload->files.empty())
            return Refusal{.status = 400, .message = "Missing required parameter: 'file'.", .param = "file"};
        set_file(object, call.upload->files.front());
    }
    object.members.append_to(call.out);
    call.shared.objects.add(std::move(object));
    return {};
}

Verdict create_thread_and_run(Call& call) {
    const core::Result<Members> fields = fields_of(call);
    if (!fields) return unreadable(fields.error());
    if (Verdict refusal = check_references(call, *fields)) return refusal;
    Object thread = new_object(call, {resource("/v1/threads"), {}, {}});
    Object run = new_object(call, {resource("/v1/threads/*/runs"), thread.id, {}});
    set_all(run.members, *fields);
    run.members.append_to(call.out);
    call.shared.objects.add(std::move(thread));
    call.shared.objects.add(std::move(run));
    return {};
}

Verdict list_objects(Call& call) {
    const Place place = place_of(call);
    if (Verdict refusal = check_parent(call, place)) return refusal;
    bool has_more = false;
    const std::vector<Object> page =
        page_of(call.shared.objects.all(place.resource, place.parent), call.head.query, has_more);
    append_list(call.out, page, has_more);
    return {};
}

Verdict get_object(Call& call) {
    const Place place = place_of(call);
    std::string before;
    const auto found = call.shared.objects.change(place.resource, place.parent, place.id, [&](Object& object) {
        object.members.append_to(before);
        const std::string_view next = status_of(place.resource, object.life + 1);
        if (object.members.text("status") != status_of(place.resource, object.life)) return;  // cancelled, say
        ++object.life;
        if (!next.empty()) object.members.set_text("status", next);
    });
    if (!found) return no_such(place.resource.object, place.id, "id");
    call.out += before;
    const std::string* output = found->members.find("output_file_id");
    if (place.resource.object == "batch" && found->members.text("status") == "completed" && *output == "null")
        finish_batch(call, *found);
    return {};
}

Verdict update_object(Call& call) {
    const Place place = place_of(call);
    const core::Result<Members> fields = fields_of(call);
    if (!fields) return unreadable(fields.error());
    const auto changed = call.shared.objects.change(place.resource, place.parent, place.id,
                                                    [&](Object& object) { set_all(object.members, *fields); });
    if (!changed) return no_such(place.resource.object, place.id, "id");
    changed->members.append_to(call.out);
    return {};
}

Verdict delete_object(Call& call) {
    const Place place = place_of(call);
    const Resource& kind = place.resource;
    if (!call.shared.objects.remove(kind, place.parent, place.id)) return no_such(kind.object, place.id, "id");
    call.out += R"({"id":)";
    json::append_quoted(call.out, place.id);
    // Files alone are called by their own name also when they are gone.
    append(call.out, R"(,"object":")", kind.object, kind.path == "/v1/files" ? "" : ".deleted", R"(","deleted":true})");
    return {};
}

Verdict act_on_object(Call& call) {
    const Place place = place_of(call);
    const std::string_view verb = call.match.verb;
    const bool posts = call.head.method == "POST";
    const std::optional<Object> found = call.shared.objects.find(place.resource, place.parent, place.id);
    if (!found) return no_such(place.resource.object, place.id, "id");
    if (verb == "content" && !posts && place.resource.is_file) return give_content(call, *found);
    if (verb == "complete" && posts && place.resource.object == "upload") return complete_upload(call, *found);
    if (std::find(kEmptyLists.begin(), kEmptyLists.end(), verb) != kEmptyLists.end() && posts == (verb == "search")) {
        append_list(call.out, {}, false);
        return {};
    }
    for (const Turn& turn : kTurns) {
        if (turn.verb != verb || !posts || place.resource.life.empty()) continue;
        const auto changed = call.shared.objects.change(place.resource, place.parent, place.id, [&](Object& object) {
            object.members.set_text("status", turn.status);
        });
        if (changed) changed->members.append_to(call.out);
        return {};
    }
    return Refusal{
        .status = 404,
        .message = "Invalid URL (" + std::string(call.head.method) + " " + std::string(call.head.path) + ")"};
}

}  // namespace oai::mock
