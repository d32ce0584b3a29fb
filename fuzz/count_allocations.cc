#include "fuzz/count_allocations.h"

#include <malloc.h>

#include <atomic>
#include <cerrno>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COWVET_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COWVET_SANITIZED
#endif

namespace cowvet::fuzz {
namespace {

std::atomic<std::size_t> bytes_now = 0;
std::atomic<std::size_t> bytes_at_begin = 0;
std::atomic<std::size_t> bytes_most = 0;

void count(std::size_t bytes) {
  const std::size_t now = bytes_now += bytes;
  for (std::size_t most = bytes_most; most < now && !bytes_most.compare_exchange_weak(most, now);) {
  }
}

}  // namespace

std::size_t most_bytes_counted() {
  return bytes_most - bytes_at_begin;
}

#ifdef COWVET_SANITIZED

bool is_sanitized() {
  return true;
}

extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                              void (*)(const volatile void*));
std::size_t __sanitizer_get_allocated_size(const volatile void*);
}

void begin_counting() {
  [[maybe_unused]] static const int installed = __sanitizer_install_malloc_and_free_hooks(
      [](const volatile void*, std::size_t bytes) { count(bytes); },
      [](const volatile void* memory) {
        // What was allocated before the hooks were there has never been counted.
        const std::size_t bytes = __sanitizer_get_allocated_size(memory);
        for (std::size_t now = bytes_now;
             !bytes_now.compare_exchange_weak(now, now - (bytes < now ? bytes : now));) {
        }
      });
  bytes_at_begin = bytes_most = bytes_now.load();
}

}  // namespace cowvet::fuzz

#else

bool is_sanitized() {
  return false;
}

void begin_counting() {
  bytes_at_begin = bytes_most = bytes_now.load();
}

namespace {

void* counted(void* memory) {
  count(malloc_usable_size(memory));
  return memory;
}

}  // namespace
}  // namespace cowvet::fuzz

// glibc's own, under their other names. A program that replaces one of them has to replace all.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t bytes) noexcept {
  return cowvet::fuzz::counted(__libc_malloc(bytes));
}
void* calloc(std::size_t count, std::size_t bytes) noexcept {
  return cowvet::fuzz::counted(__libc_calloc(count, bytes));
}
void* realloc(void* old, std::size_t bytes) noexcept {
  cowvet::fuzz::bytes_now -= malloc_usable_size(old);
  return cowvet::fuzz::counted(__libc_realloc(old, bytes));
}
void free(void* memory) noexcept {
  cowvet::fuzz::bytes_now -= malloc_usable_size(memory);
  __libc_free(memory);
}
void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  return cowvet::fuzz::counted(__libc_memalign(alignment, bytes));
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return memalign(alignment, bytes);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t bytes) noexcept {
  *out = memalign(alignment, bytes);
  return *out == nullptr ? ENOMEM : 0;
}
}

#endif
