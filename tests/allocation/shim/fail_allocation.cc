// Preloaded into programs under test: the allocation of the number in COWVET_FAIL_ALLOCATION fails, and all
// behind it as long as COWVET_FAIL_ALLOCATION_COUNT says (default 1).
#include <atomic>
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
