#include "schema_check.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

namespace oai::report {
namespace {

using json::Value;

std::string_view type_name(const Value& value) {
    switch (value.type()) {
        case Value::Type::null: return "null";
        case Value::Type::boolean: return "boolean";
        case Value::Type::integer: return "integer";
        case Value::Type::number: return "number";
        case Value::Type::string: return "string";
        case Value::Type::array: return "array";
        case Value::Type::object: break;
    }
    return "object";
}

/// Scalars only: all our schemas name.
bool same(const Value& a, const Value& b) {
    return a.type() == b.type() && a.as_string() == b.as_string() && a.as_int() == b.as_int() &&
           a.as_bool() == b.as_bool();
}

class Checker {
public:
    std::vector<std::string> findings;

    const Value& load(const std::string& file) {
        const auto known = files_.find(file);
        if (known != files_.end()) return known->second;
        std::ostringstream text;
        text << std::ifstream(std::string(OAI_SOURCE_DIR) + "/docs/schema/" + file, std::ios::binary).rdbuf();
        core::Result<Value> parsed = Value::parse(text.str());
        if (!parsed) findings.push_back(file + ": " + parsed.error().detail);
        return files_.emplace(file, parsed ? *parsed : Value{}).first->second;
    }

    /// `root`: the file that `schema` stands in, for its references.
    void check(const Value& root, const Value& schema, const Value& value, const std::string& where) {
        for (const auto& [keyword, operand] : schema.members()) {
            if (keyword == "$ref") {
                follow(root, std::string(operand.as_string().value_or("")), value, where);
            } else if (keyword == "type") {
                check_type(operand, value, where);
            } else if (keyword == "const") {
                if (!same(operand, value)) found(where, "is not the constant");
            } else if (keyword == "enum") {
                const auto& all = operand.items();
                if (std::none_of(all.begin(), all.end(), [&](const Value& one) { return same(one, value); }))
                    found(where, "is not in the enumeration");
            } else if (keyword == "anyOf") {
                check_any(root, operand, value, where);
            } else if (keyword == "required") {
                for (const Value& name : operand.items()) {
                    if (value.is_object() && value.find(*name.as_string()) == nullptr)
                        found(where, "lacks " + std::string(*name.as_string()));
                }
            } else if (keyword == "properties") {
                for (const auto& [name, member] : value.members()) {
                    if (const Value* one = operand.find(name)) check(root, *one, member, where + "." + name);
                }
            } else if (keyword == "additionalProperties") {
                check_others(root, schema, operand, value, where);
            } else if (keyword == "items") {
                for (std::size_t i = 0; i < value.items().size(); ++i)
                    check(root, operand, value.items()[i], where + "[" + std::to_string(i) + "]");
            } else if (keyword == "minimum") {
                if (value.as_int() && *value.as_int() < *operand.as_int()) found(where, "is below the minimum");
            } else if (keyword == "minItems" || keyword == "maxItems") {
                const auto bound = static_cast<std::size_t>(*operand.as_int());
                const std::size_t n = value.items().size();
                if (value.is_array() && (keyword == "minItems" ? n < bound : n > bound))
                    found(where, "has the wrong number of items");
            } else if (keyword != "$schema" && keyword != "$defs" && keyword != "title" && keyword != "description") {
                found(where, "schema keyword " + keyword + " is not known to this checker");
            }
        }
    }

private:
    void found(const std::string& where, const std::string& what) { findings.push_back(where + ": " + what); }

    void follow(const Value& root, const std::string& target, const Value& value, const std::string& where) {
        constexpr std::string_view local = "#/$defs/";
        if (target.substr(0, local.size()) != local) {
            const Value& other = load(target);
            check(other, other, value, where);
            return;
        }
        const Value* defs = root.find("$defs");
        const Value* schema = defs != nullptr ? defs->find(target.substr(local.size())) : nullptr;
        if (schema == nullptr) return found(where, "no such definition: " + target);
        check(root, *schema, value, where);
    }

    void check_type(const Value& operand, const Value& value, const std::string& where) {
        const std::string_view actual = type_name(value);
        bool fits = operand.as_string() == actual;
        for (const Value& one : operand.items()) fits = fits || one.as_string() == actual;
        if (!fits) found(where, "is of type " + std::string(actual));
    }

    void check_any(const Value& root, const Value& operand, const Value& value, const std::string& where) {
        std::vector<std::string> kept = std::move(findings), last;
        bool fits = false;
        for (const Value& one : operand.items()) {
            findings.clear();
            check(root, one, value, where);
            fits = fits || findings.empty();
            if (!findings.empty() && last.empty()) last = findings;
        }
        findings = std::move(kept);
        if (!fits) findings.insert(findings.end(), last.begin(), last.end());
    }

    void check_others(const Value& root, const Value& schema, const Value& operand, const Value& value,
                      const std::string& where) {
        const Value* properties = schema.find("properties");
        for (const auto& [name, member] : value.members()) {
            if (properties != nullptr && properties->find(name) != nullptr) continue;
            if (operand.as_bool() == false) {
                found(where, "has the unlisted member " + name);
            } else if (operand.is_object()) {
                check(root, operand, member, where + "." + name);
            }
        }
    }

    std::map<std::string, Value> files_;
};

}  // namespace

std::vector<std::string> check_schema(const std::string& schema_file, const Value& document) {
    Checker checker;
    const Value& root = checker.load(schema_file);
    if (!root.is_object()) checker.findings.push_back(schema_file + ": is no schema");
    checker.check(root, root, document, "$");
    return checker.findings;
}

}  // namespace oai::report
