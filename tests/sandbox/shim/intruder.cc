// Preloaded into cowvet: what an image could do that has taken the process over. When the program first reads
// of the image, everything that the sandbox has to refuse is tried, and what came of it is written to
// standard error: "intruder: WHAT ERRNO", 0 where it was done.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace {

void tell(const char* what, long result) {
  char line[100];
  const int length = std::snprintf(line, sizeof line, "intruder: %s %d\n", what, result < 0 ? errno : 0);
  if (write(STDERR_FILENO, line, static_cast<std::size_t>(length)) < 0) _exit(99);
}

long openat2_to_write(const char* path) {
  open_how how{};
  how.flags = O_RDWR;
  return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

long make_process() {
  const long process = syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (process == 0) _exit(0);
  return process;
}

long map_executable() {
  void* const place = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mprotect(place, 4096, PROT_READ | PROT_EXEC);
}

void try_all() {
  tell("read_another_file", open("/etc/passwd", O_RDONLY));
  tell("list_another_directory", open("/etc", O_RDONLY | O_DIRECTORY));
  tell("open_the_image_to_write", open("a.qcow2", O_RDWR));
  tell("openat2_the_image_to_write", openat2_to_write("a.qcow2"));
  tell("make_a_file", open("new", O_WRONLY | O_CREAT, 0600));
  tell("make_a_directory", mkdir("directory", 0700));
  tell("truncate", truncate("victim", 0));
  tell("change_the_mode", chmod("victim", 0600));
  tell("rename", rename("victim", "victim2"));
  tell("link", link("a.qcow2", "linked"));
  tell("remove", unlink("other"));
  tell("connect", socket(AF_INET, SOCK_STREAM, 0));
  tell("make_a_process", make_process());
  tell("signal_another_process", kill(getppid(), 0));
  char byte = 0;
  const iovec here{&byte, 1};
  const iovec there{reinterpret_cast<void*>(&try_all), 1};  // some address
  tell("read_another_process",
       process_vm_readv(getppid(), &here, 1, &there, 1, 0) < 0 && errno == EPERM ? -1 : 0);
  tell("make_code", map_executable());
  char* const nothing[] = {nullptr};
  // If it may be tried, there is nothing to run.
  execve("/nonexistent", nothing, nothing);
  tell("run_a_program", errno == ENOENT ? 0 : -1);
}

void once() {
  static std::atomic<bool> done{false};
  if (!done.exchange(true)) try_all();
}

}  // namespace

extern "C" ssize_t pread64(int file, void* to, size_t bytes, off64_t offset) {
  using Real = ssize_t (*)(int, void*, size_t, off64_t);
  static const Real kReal = reinterpret_cast<Real>(dlsym(RTLD_NEXT, "pread64"));
  once();
  return kReal(file, to, bytes, offset);
}

extern "C" ssize_t pread(int file, void* to, size_t bytes, off_t offset) {
  return pread64(file, to, bytes, offset);
}
