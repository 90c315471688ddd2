#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/system/system_error.hpp>

#include "net/frames.hpp"

namespace oai::net {

/// What a session is written in: a coroutine of one worker's thread, which runs when it is awaited and hands its result
/// to whoever awaits it.
///
/// Ours instead of Asio's (docs/decisions/0006): a frame comes from a free list in a few instructions, an operation of
/// Asio's costs no frame of its own, and a coroutine that never had to wait is as good as a call. Owned by the one who
/// awaits it: destroying a session's outermost frame destroys them all, from the inside out.
template <class T>
class Awaitable;

/// One link of the chain from a session to what it waits for.
struct Suspension {
    std::coroutine_handle<> frame;
    Suspension* awaiting = nullptr;  ///< goes on when this one ends; null: the session itself
    bool nested = false;             ///< still within the call that started it: that call sees its end

    /// Destroys the session that this is a part of.
    void destroy_session() noexcept {
        Suspension* outermost = this;
        while (outermost->awaiting != nullptr) outermost = outermost->awaiting;
        outermost->frame.destroy();
    }
};

namespace detail {

/// Who goes on when the coroutine that runs now has ended. A variable instead of a call from there: a thousand awaits
/// in a row must not become a thousand calls deep, and compilers make tail calls of them only when they optimise.
inline constinit thread_local Suspension* to_resume = nullptr;

}  // namespace detail

/// Goes on with a suspended coroutine, and with those that wait for its end.
inline void resume(Suspension& suspended) {
    Suspension* const before = std::exchange(detail::to_resume, nullptr);
    for (Suspension* next = &suspended; next != nullptr; next = std::exchange(detail::to_resume, nullptr))
        next->frame.resume();
    detail::to_resume = before;
}

/// Owns a suspended coroutine until it is resumed: an operation that is dropped instead of completed, because its
/// worker ended, takes the session with it.
class Resumption {
public:
    explicit Resumption(Suspension& suspended) noexcept : suspended_(&suspended) {}
    Resumption(Resumption&& other) noexcept : suspended_(std::exchange(other.suspended_, nullptr)) {}
    Resumption& operator=(Resumption&&) = delete;
    ~Resumption() {
        if (suspended_ != nullptr) suspended_->destroy_session();
    }
    void operator()() { resume(*std::exchange(suspended_, nullptr)); }

private:
    Suspension* suspended_;
};

namespace detail {

struct Promise : Suspension {
    std::exception_ptr escaped;

    static void* operator new(std::size_t size) { return take_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { give_frame(frame, size); }

    std::suspend_always initial_suspend() const noexcept { return {}; }
    auto final_suspend() const noexcept {
        struct End {
            bool await_ready() const noexcept { return false; }
            void await_suspend(std::coroutine_handle<>) const noexcept {
                if (!promise.nested) to_resume = promise.awaiting;
            }
            void await_resume() const noexcept {}
            const Promise& promise;
        };
        return End{*this};
    }
    void unhandled_exception() noexcept { escaped = std::current_exception(); }
};

template <class T>
struct ValuePromise : Promise {
    std::optional<T> value;
    Awaitable<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
};

template <>
struct ValuePromise<void> : Promise {
    Awaitable<void> get_return_object() noexcept;
    void return_void() const noexcept {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Awaitable {
public:
    using promise_type = detail::ValuePromise<T>;

    explicit Awaitable(promise_type& promise) noexcept : promise_(&promise) {}
    Awaitable(Awaitable&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
    Awaitable& operator=(Awaitable&&) = delete;
    ~Awaitable() {
        if (promise_ != nullptr) promise_->frame.destroy();
    }

    bool await_ready() const noexcept { return false; }
    /// Runs it within this call as far as it goes. False when that was to its end: then nobody has to wait.
    template <class P>
    bool await_suspend(std::coroutine_handle<P> awaiting) {
        promise_->awaiting = &awaiting.promise();
        promise_->nested = true;
        promise_->frame.resume();
        if (promise_->frame.done()) return false;
        promise_->nested = false;
        return true;
    }
    T await_resume() {
        if (promise_->escaped) std::rethrow_exception(std::move(promise_->escaped));
        if constexpr (!std::is_void_v<T>) return std::move(*promise_->value);
    }

private:
    promise_type* promise_;
};

namespace detail {

template <class T>
Awaitable<T> ValuePromise<T>::get_return_object() noexcept {
    frame = std::coroutine_handle<ValuePromise>::from_promise(*this);
    return Awaitable<T>(*this);
}

inline Awaitable<void> ValuePromise<void>::get_return_object() noexcept {
    frame = std::coroutine_handle<ValuePromise>::from_promise(*this);
    return Awaitable<void>(*this);
}

/// The outermost frame: it belongs to itself.
struct Session {
    struct promise_type : Suspension {
        static void* operator new(std::size_t size) { return take_frame(size); }
        static void operator delete(void* frame, std::size_t size) noexcept { give_frame(frame, size); }
        Session get_return_object() noexcept {
            frame = std::coroutine_handle<promise_type>::from_promise(*this);
            return {};
        }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::terminate(); }  // `start` lets none escape
    };
};

template <class End>
Session run_session(Awaitable<void> session, End end) {
    std::exception_ptr escaped;
    try {
        co_await session;
    } catch (...) {
        escaped = std::current_exception();
    }
    end(escaped);
}

}  // namespace detail

/// Runs a session as far as it goes, on this thread; operations it waits for carry it on. `end` is called with what
/// escaped from it, or null. It must not throw.
template <class End>
void start(Awaitable<void> session, End end) {
    detail::run_session(std::move(session), std::move(end));
}

/// Memory for Asio's operations, from the same lists as the frames.
template <class T>
struct FrameAllocator {
    using value_type = T;
    FrameAllocator() = default;
    template <class U>
    FrameAllocator(const FrameAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor): allocators convert
    T* allocate(std::size_t n) { return static_cast<T*>(take_frame(n * sizeof(T))); }
    void deallocate(T* memory, std::size_t n) noexcept { give_frame(memory, n * sizeof(T)); }
    friend bool operator==(const FrameAllocator&, const FrameAllocator&) noexcept { return true; }
};

/// Asio's completion token for sessions: `co_await timer.async_wait(use_awaitable)` throws what fails,
/// `co_await timer.async_wait(use_awaitable(failed))` says it in `failed`.
struct UseAwaitable {
    boost::system::error_code* failed = nullptr;
    constexpr UseAwaitable operator()(boost::system::error_code& into) const noexcept { return {&into}; }
};
inline constexpr UseAwaitable use_awaitable{};

namespace detail {

/// Where an operation puts what it ended with. `T`: what it gives besides its error.
template <class T>
struct Outcome {
    boost::system::error_code* failed = nullptr;
    boost::system::error_code own;
    std::optional<T> value;

    T take() {
        if (failed == nullptr && own) throw boost::system::system_error(own);
        return std::move(*value);
    }
};

template <>
struct Outcome<void> {
    boost::system::error_code* failed = nullptr;
    boost::system::error_code own;

    void take() const {
        if (failed == nullptr && own) throw boost::system::system_error(own);
    }
};

template <class T>
class Completion {
public:
    using allocator_type = FrameAllocator<void>;
    allocator_type get_allocator() const noexcept { return {}; }

    Completion(Outcome<T>& outcome, Suspension& suspended) noexcept : outcome_(&outcome), resumption_(suspended) {}
    void operator()() { resumption_(); }
    template <class... Value>
    void operator()(const boost::system::error_code& error, Value&&... value) {
        (outcome_->failed != nullptr ? *outcome_->failed : outcome_->own) = error;
        if constexpr (sizeof...(Value) != 0) outcome_->value.emplace(std::forward<Value>(value)...);
        resumption_();
    }

private:
    Outcome<T>* outcome_;
    Resumption resumption_;
};

/// An operation of Asio's that begins when it is awaited. It lives in the frame that awaits it.
template <class T, class Initiate>
class [[nodiscard]] Operation {
public:
    Operation(boost::system::error_code* failed, Initiate initiate) : initiate_(std::move(initiate)) {
        outcome_.failed = failed;
    }
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P> awaiting) {
        initiate_(Completion<T>(outcome_, awaiting.promise()));
    }
    T await_resume() { return outcome_.take(); }

private:
    Initiate initiate_;
    Outcome<T> outcome_;
};

}  // namespace detail

}  // namespace oai::net

namespace boost::asio {

template <class... Value>
class async_result<oai::net::UseAwaitable, void(Value...)> {
    template <class...>
    struct Given {
        using type = void;
    };
    template <class First, class... Rest>
    struct Given<First, Rest...> : Given<Rest...> {
        static_assert(std::is_same_v<std::decay_t<First>, boost::system::error_code>);
    };
    template <class First, class Second>
    struct Given<First, Second> {
        using type = std::decay_t<Second>;
    };

public:
    template <class Initiation, class... Args>
    static auto initiate(Initiation initiation, oai::net::UseAwaitable token, Args... args) {
        using T = typename Given<Value...>::type;
        auto begin = [initiation = std::move(initiation),
                      ... args = std::move(args)](oai::net::detail::Completion<T> completion) mutable {
            std::move(initiation)(std::move(completion), std::move(args)...);
        };
        return oai::net::detail::Operation<T, decltype(begin)>(token.failed, std::move(begin));
    }
};

}  // namespace boost::asio
