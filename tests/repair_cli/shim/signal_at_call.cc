// Preloaded into a program: sends it a signal before the n-th call that changes a file or makes a change
// durable, so that every moment of a repair can be met, and each time the same one.
//
//   COWVET_TEST_CALL     the number of the call, the first being 1; each of those behind it that are asked
//   for COWVET_TEST_SIGNAL   the number of the signal COWVET_TEST_REPEAT   how many calls in a row get it;
//   default 1 COWVET_TEST_HALF     if set, a write is carried out by half before the signal
#include <dlfcn.h>
#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace {

long number_of(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtol(text, nullptr, 10);
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// True: this is the call.
bool count_call() {
  static long calls = 0;
  static const long first = number_of("COWVET_TEST_CALL", 0);
  static const long repeat = number_of("COWVET_TEST_REPEAT", 1);
  ++calls;
  return first > 0 && calls >= first && calls < first + repeat;
}

void send_signal() {
  kill(getpid(), static_cast<int>(number_of("COWVET_TEST_SIGNAL", SIGKILL)));
}

template <class Function, class... Arguments>
auto pass_on(const char* name, Arguments... arguments) {
  if (count_call()) send_signal();
  return next<Function>(name)(arguments...);
}

ssize_t write_at(const char* name, int file, const void* bytes, size_t length, off_t offset) {
  auto* const put = next<ssize_t(int, const void*, size_t, off_t)>(name);
  if (count_call()) {
    if (number_of("COWVET_TEST_HALF", 0) != 0) put(file, bytes, length / 2, offset);
    send_signal();
  }
  return put(file, bytes, length, offset);
}

}  // namespace

extern "C" {

ssize_t pwrite(int file, const void* bytes, size_t length, off_t offset) {
  return write_at("pwrite", file, bytes, length, offset);
}
ssize_t pwrite64(int file, const void* bytes, size_t length, off_t offset) {
  return write_at("pwrite64", file, bytes, length, offset);
}
int fdatasync(int file) {
  return pass_on<int(int)>("fdatasync", file);
}
int fsync(int file) {
  return pass_on<int(int)>("fsync", file);
}
int ftruncate(int file, off_t length) noexcept {
  return pass_on<int(int, off_t)>("ftruncate", file, length);
}
int ftruncate64(int file, off_t length) noexcept {
  return pass_on<int(int, off_t)>("ftruncate64", file, length);
}
int fallocate(int file, int mode, off_t offset, off_t length) {
  return pass_on<int(int, int, off_t, off_t)>("fallocate", file, mode, offset, length);
}
int rename(const char* from, const char* to) noexcept {
  return pass_on<int(const char*, const char*)>("rename", from, to);
}
int renameat2(int from_directory, const char* from, int to_directory, const char* to,
              unsigned flags) noexcept {
  return pass_on<int(int, const char*, int, const char*, unsigned)>("renameat2", from_directory, from,
                                                                    to_directory, to, flags);
}
int unlink(const char* path) noexcept {
  return pass_on<int(const char*)>("unlink", path);
}

}  // extern "C"
