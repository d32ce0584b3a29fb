// Runs a fuzz target over files, without libFuzzer: fuzz-TARGET [--mutants N] FILE_OR_DIRECTORY...
//
// Each input must keep within a second, and within 64 MiB beyond its own size; so must N mutants of it, the
// same in every run. An input that fails is left in the file `failed-input`. Prints how many ran.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <random>
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

std::string input;  // that runs now

void save_input(int signal) {
  const int file = open("failed-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool saved = write(file, input.data(), input.size()) == static_cast<ssize_t>(input.size());
  constexpr char kMessage[] = "the input is in the file failed-input\n";
  if (saved && write(STDERR_FILENO, kMessage, sizeof kMessage - 1) < 0) _exit(1);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

class Replayer {
 public:
  explicit Replayer(int mutants) : mutants_(mutants) {}

  void run_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    const std::string original((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    input = original;
    run(path.string());
    std::mt19937_64 random(std::hash<std::string>()(path.filename().string()));
    for (int i = 0; i < mutants_; ++i) {
      input = original;
      for (auto times = 1 + random() % 4; times > 0; --times) mutate(random);
      run(path.string() + ", mutant " + std::to_string(i));
    }
  }

  int inputs() const { return inputs_; }
  bool good() const { return good_; }

 private:
  void run(const std::string& name) {
    const std::size_t bytes_before = bytes_now;
    bytes_most = bytes_before;
    const auto begin = std::chrono::steady_clock::now();
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    const bool slow = std::chrono::steady_clock::now() - begin > kLongest;
    const bool large = bytes_most - bytes_before > kMostBytes + input.size();
    if (slow) std::fprintf(stderr, "%s: takes too long\n", name.c_str());
    if (large) std::fprintf(stderr, "%s: takes %zu bytes\n", name.c_str(), bytes_most - bytes_before);
    good_ = good_ && !slow && !large;
    ++inputs_;
  }

  static void mutate(std::mt19937_64& random) {
    if (input.empty()) return input.push_back(static_cast<char>(random()));
    const std::size_t at = random() % input.size();
    const std::size_t from = random() % input.size();
    const std::size_t length = std::min<std::size_t>(1 + random() % 16, input.size() - std::max(at, from));
    switch (random() % 6) {
      case 0:
        input[at] = static_cast<char>(input[at] ^ 1 << random() % 8);
        break;
      case 1:
        input[at] = static_cast<char>(random());
        break;
      case 2:
        std::fill_n(input.begin() + static_cast<std::ptrdiff_t>(at), length, random() % 2 ? '\xff' : '\0');
        break;
      case 3:
        input.replace(at, length, input.substr(from, length));
        break;
      case 4:
        input.insert(at, input.substr(from, length));
        break;
      default:
        input.erase(at, length);
        break;
    }
  }

  int mutants_;
  int inputs_ = 0;
  bool good_ = true;
};

}  // namespace

int main(int argc, char** argv) {
  int first = 1;
  int mutants = 0;
  if (argc > 2 && std::string(argv[1]) == "--mutants") {
    mutants = std::atoi(argv[2]);
    first = 3;
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGFPE, SIGBUS}) std::signal(signal, save_input);
  LLVMFuzzerTestOneInput(nullptr, 0);  // what is loaded once is not the first input's
  Replayer replayer(mutants);
  for (int i = first; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      replayer.run_file(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) replayer.run_file(entry.path());
  }
  std::printf("%d fuzz inputs ran\n", replayer.inputs());
  return replayer.good() && replayer.inputs() != 0 ? 0 : 1;
}
