// Runs a fuzz target over files, without libFuzzer: every input within a second, and within 64 MiB beyond its
// own size. Prints how many ran.
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// A busy machine gets more time than the second that an input may take by itself.
constexpr std::chrono::seconds kLongest{5};
constexpr std::size_t kMostBytes = std::size_t{64} << 20;

std::atomic<std::size_t> bytes_now = 0;
std::atomic<std::size_t> bytes_most = 0;

void count(void* memory) {
  const std::size_t now = bytes_now += malloc_usable_size(memory);
  for (std::size_t most = bytes_most; most < now && !bytes_most.compare_exchange_weak(most, now);) {
  }
}

}  // namespace

void* operator new(std::size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  count(memory);
  return memory;
}
void operator delete(void* memory) noexcept {
  bytes_now -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  operator delete(memory);
}

namespace {

// Whether the input kept within the limits.
bool run(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string input((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const std::size_t bytes_before = bytes_now;
  bytes_most = bytes_before;
  const auto begin = std::chrono::steady_clock::now();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  const bool slow = std::chrono::steady_clock::now() - begin > kLongest;
  const bool large = bytes_most - bytes_before > kMostBytes + input.size();
  if (slow) std::fprintf(stderr, "%s: takes too long\n", path.c_str());
  if (large) std::fprintf(stderr, "%s: takes %zu bytes\n", path.c_str(), bytes_most - bytes_before);
  return !slow && !large;
}

}  // namespace

int main(int argc, char** argv) {
  LLVMFuzzerTestOneInput(nullptr, 0);  // what is loaded once is not the first input's
  int inputs = 0;
  bool good = true;
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      good = run(argv[i]) && good;
      ++inputs;
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      good = run(entry.path()) && good;
      ++inputs;
    }
  }
  std::printf("%d fuzz inputs ran\n", inputs);
  return good && inputs != 0 ? 0 : 1;
}
