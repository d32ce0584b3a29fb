// Runs when cowvet is built: makes the filters that sandbox.cc hands to the kernel, so that the program need
// not make them each time it starts. Writes C++ to standard output.
//
// A system call that is not named here fails with EPERM.
#include <fcntl.h>
#include <fmt/core.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "checker/sandbox/seccomp_filters.h"

// <linux/fs.h>, without what it defines besides.
#ifndef BLKGETSIZE64
#define BLKGETSIZE64 _IOR(0x12, 114, size_t)
#endif

namespace cowvet {
namespace {

constexpr int kAlways[] = {
    // reading, and printing to what is open already
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(preadv2), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(_llseek), SCMP_SYS(close),
    SCMP_SYS(close_range), SCMP_SYS(fadvise64), SCMP_SYS(readahead), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(sendto), SCMP_SYS(recvfrom),
    SCMP_SYS(sendmsg), SCMP_SYS(recvmsg), SCMP_SYS(shutdown),
    // what files there are
    SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),
    SCMP_SYS(statx), SCMP_SYS(fstatfs), SCMP_SYS(statfs), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd),
    SCMP_SYS(flock),
    // memory and threads
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(wait4), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(getppid),
    // time, signals, the system
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(alarm), SCMP_SYS(setitimer), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrlimit),
    SCMP_SYS(getrusage), SCMP_SYS(geteuid), SCMP_SYS(getuid)};

// With what it takes to load libraries.
constexpr int kNetwork[] = {SCMP_SYS(socket),     SCMP_SYS(connect),     SCMP_SYS(getsockopt),
                            SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
                            SCMP_SYS(socketpair), SCMP_SYS(pipe2),       SCMP_SYS(eventfd2),
                            SCMP_SYS(bind),       SCMP_SYS(sendmmsg),    SCMP_SYS(recvmmsg),
                            SCMP_SYS(mmap),       SCMP_SYS(mprotect)};

// A call that may be made when bits of one argument have the value.
struct Allowed {
  int call;
  unsigned argument;
  std::uint64_t bits;
  std::uint64_t value;
};

constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr std::uint64_t kOpenToWrite = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;

constexpr Allowed kSometimes[] = {
    {SCMP_SYS(open), 1, kOpenToWrite, O_RDONLY},
    {SCMP_SYS(openat), 2, kOpenToWrite, O_RDONLY},
    {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    {SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD},  // threads; no processes
    {SCMP_SYS(fcntl), 1, kAll, F_GETFD},
    {SCMP_SYS(fcntl), 1, kAll, F_SETFD},
    {SCMP_SYS(fcntl), 1, kAll, F_GETFL},
    {SCMP_SYS(fcntl), 1, kAll, F_SETFL},
    {SCMP_SYS(fcntl), 1, kAll, F_OFD_GETLK},
    {SCMP_SYS(fcntl), 1, kAll, F_OFD_SETLK},
    {SCMP_SYS(fcntl), 1, kAll, F_DUPFD_CLOEXEC},
    {SCMP_SYS(ioctl), 1, kAll, TCGETS},
    {SCMP_SYS(ioctl), 1, kAll, TIOCGWINSZ},
    {SCMP_SYS(ioctl), 1, kAll, BLKGETSIZE64},
    {SCMP_SYS(prlimit64), 2, kAll, 0},          // to ask, not to set
    {SCMP_SYS(tgkill), 0, kAll, kThisProcess},  // abort() and pthread_kill()
};

[[noreturn]] void give_up(const char* what) {
  fmt::print(stderr, "write_seccomp_filters: {}\n", what);
  std::exit(1);  // NOLINT(concurrency-mt-unsafe): there is one thread
}

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release) {
    if (!context_) give_up("no memory");
    check(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));  // a tree, not a list
  }

  void allow(int call) { check(seccomp_rule_add(context_.get(), SCMP_ACT_ALLOW, call, 0)); }
  void allow(const Allowed& allowed) {
    const scmp_arg_cmp condition =
        allowed.bits == kAll ? SCMP_CMP(allowed.argument, SCMP_CMP_EQ, allowed.value)
                             : SCMP_CMP(allowed.argument, SCMP_CMP_MASKED_EQ, allowed.bits, allowed.value);
    check(seccomp_rule_add_array(context_.get(), SCMP_ACT_ALLOW, allowed.call, 1, &condition));
  }
  // The C library then takes an older call, of which the filter sees more.
  void deny_as_unknown(int call) { check(seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(ENOSYS), call, 0)); }

  std::vector<sock_filter> instructions() const {
    std::FILE* file = std::tmpfile();
    if (!file) give_up("no temporary file");
    check(seccomp_export_bpf(context_.get(), fileno(file)));
    if (std::fseek(file, 0, SEEK_SET) != 0) give_up("no temporary file");
    std::vector<sock_filter> read;
    for (sock_filter one{}; std::fread(&one, sizeof one, 1, file) == 1;) read.push_back(one);
    std::fclose(file);
    return read;
  }

 private:
  // Calls that this architecture does not have are passed over.
  static void check(int status) {
    if (status != 0 && status != -EDOM) give_up("libseccomp refuses a rule");
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
};

// What openat2 is asked for lies in memory, where the filter cannot see it: only where Landlock does.
Filter make_filter(bool landlock, bool network) {
  Filter filter;
  for (const int call : kAlways) filter.allow(call);
  for (const Allowed& allowed : kSometimes) filter.allow(allowed);
  filter.deny_as_unknown(SCMP_SYS(clone3));
  if (landlock) {
    filter.allow(SCMP_SYS(openat2));
  } else {
    filter.deny_as_unknown(SCMP_SYS(openat2));
  }
  if (network)
    for (const int call : kNetwork) filter.allow(call);
  return filter;
}

void write_filter(const char* name, const Filter& filter) {
  fmt::print("constexpr sock_filter {}[] = {{\n", name);
  for (const sock_filter& one : filter.instructions())
    fmt::print("    {{{:#x}, {}, {}, {:#x}}},\n", one.code, one.jt, one.jf, one.k);
  fmt::print("}};\n\n");
}

}  // namespace

void write_filters() {
  fmt::print("#include \"checker/sandbox/seccomp_filters.h\"\n\nnamespace cowvet {{\nnamespace {{\n\n");
  write_filter("kPlain", make_filter(false, false));
  write_filter("kNetwork", make_filter(false, true));
  write_filter("kBesideLandlock", make_filter(true, false));
  write_filter("kNetworkBesideLandlock", make_filter(true, true));
  fmt::print(
      "}}  // namespace\n\n"
      "std::span<const sock_filter> seccomp_filter(bool landlock, bool network) {{\n"
      "  if (landlock) return network ? std::span<const sock_filter>(kNetworkBesideLandlock) : "
      "kBesideLandlock;\n"
      "  return network ? std::span<const sock_filter>(kNetwork) : kPlain;\n"
      "}}\n\n}}  // namespace cowvet\n");
}

}  // namespace cowvet

int main() {
  cowvet::write_filters();
}
