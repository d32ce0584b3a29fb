// Preloaded into programs under test: the allocation of the number in COWVET_FAIL_ALLOCATION fails, and all
// behind it as long as COWVET_FAIL_ALLOCATION_COUNT says (default 1). Counted is what the program itself asks
// for: by operator new where that comes from a library, else by malloc, which the operator in the program
// calls.
#include <dlfcn.h>
#include <sys/auxv.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace {

unsigned long number_in(const char* variable, unsigned long if_unset) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoul(text, nullptr, 10) : if_unset;
}

bool fails() {
  static const unsigned long first = number_in("COWVET_FAIL_ALLOCATION", 0);
  static const unsigned long count = number_in("COWVET_FAIL_ALLOCATION_COUNT", 1);
  static std::atomic<unsigned long> number = 0;
  const unsigned long now = ++number;
  return first != 0 && now >= first && now - first < count;
}

}  // namespace

#ifdef COWVET_STATIC_RUNTIME

extern "C" void* __libc_malloc(std::size_t bytes);  // NOLINT(bugprone-reserved-identifier): glibc's malloc

namespace {

const void* object_of(const void* address) {
  Dl_info info{};
  return dladdr(address, &info) != 0 ? info.dli_fbase : nullptr;
}

}  // namespace

extern "C" void* malloc(std::size_t bytes) {
  static const void* const program = object_of(reinterpret_cast<const void*>(getauxval(AT_ENTRY)));
  if (object_of(__builtin_return_address(0)) == program && fails()) {
    errno = ENOMEM;
    return nullptr;
  }
  return __libc_malloc(bytes);
}

#else

void* operator new(std::size_t bytes) {
  void* memory = fails() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

#endif
