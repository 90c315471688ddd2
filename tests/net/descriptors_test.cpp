#include "net/descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <doctest/doctest.h>

using oai::net::Descriptor;

TEST_CASE("a descriptor is closed by its last owner, and a duplicate is another one") {
    int raw = -1;
    {
        Descriptor first(::open("/dev/null", O_RDONLY));
        raw = first.get();
        Descriptor second = std::move(first);
        CHECK_FALSE(first);  // NOLINT(bugprone-use-after-move): moved-from is empty, on purpose
        CHECK(second.get() == raw);
        const auto copy = second.duplicate();
        REQUIRE(copy);
        CHECK(copy->get() != raw);
        CHECK((::fcntl(copy->get(), F_GETFD) & FD_CLOEXEC) != 0);
        CHECK(::fcntl(raw, F_GETFD) != -1);
    }
    CHECK(::fcntl(raw, F_GETFD) == -1);
    CHECK_FALSE(Descriptor().duplicate());
}

TEST_CASE("the soft limit of open files is raised to the hard one") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const rlimit low{.rlim_cur = 256, .rlim_max = before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
    const auto raised = oai::net::raise_descriptor_limit();
    REQUIRE(raised);
    CHECK(raised->soft == before.rlim_max);
    CHECK(raised->hard == before.rlim_max);
    rlimit now{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &now) == 0);
    CHECK(now.rlim_cur == before.rlim_max);
    ::setrlimit(RLIMIT_NOFILE, &before);
}
