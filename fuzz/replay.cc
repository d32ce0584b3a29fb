// Runs a fuzz target over files, without libFuzzer: fuzz-TARGET [--mutants N] FILE_OR_DIRECTORY...
//
// Runs each file and N mutants of it, the same in every run, within the bounds of bounds.h. The first input
// that fails ends the program and is left in the file `failed-input`. Prints how many ran, and what they
// took.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

#include "fuzz/bounds.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::string input;  // that runs now
std::string input_name;

void save_input(int signal) {
  const int file = open("failed-input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool saved = write(file, input.data(), input.size()) == static_cast<ssize_t>(input.size());
  constexpr std::string_view kMessage = ": failed; the input is in the file failed-input\n";
  if (write(STDERR_FILENO, input_name.data(), input_name.size()) < 0) _exit(1);
  if (saved && write(STDERR_FILENO, kMessage.data(), kMessage.size()) < 0) _exit(1);
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

 private:
  void run(const std::string& name) {
    input_name = name;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
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
  const cowvet::fuzz::Cost cost = cowvet::fuzz::highest_cost();
  std::printf("%d fuzz inputs ran, in at most %.2f s and %zu KiB each\n", replayer.inputs(), cost.cpu_seconds,
              cost.bytes >> 10);
  return replayer.inputs() != 0 ? 0 : 1;
}
