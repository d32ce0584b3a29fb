// Our locks against QEMU's, both ways, and against what else may lie on a file.
#include "checker/device/locks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "checker/device/file_device.h"
#include "tests/support/background_command.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The bytes of [0, 300) that the system shows as locked, for somebody else.
std::vector<int> locked_bytes(const std::string& path) {
  const auto other = FileDevice::open(path).value();
  std::vector<int> bytes;
  for (int byte = 0; byte < 300; ++byte) {
    struct flock lock{.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1, .l_pid = 0};
    EXPECT_EQ(fcntl(other->descriptor(), F_OFD_GETLK, &lock), 0);
    if (lock.l_type != F_UNLCK) bytes.push_back(byte);
  }
  return bytes;
}

std::string message_of(const std::expected<LockResult, std::string>& result) {
  if (!result) return result.error();
  return *result == LockResult::taken ? "taken" : "unsupported";
}

class Locks : public testing::Test {
 protected:
  Locks() {
    EXPECT_EQ(run_script("qemu-img create -q -f qcow2 a.qcow2 10M\n"
                         "qemu-img create -q -f qcow2 -o data_file=data,data_file_raw=on b.qcow2 10M",
                         directory_.path())
                  .status,
              0);
  }

  // Somebody who has an image open, as QEMU opens it.
  BackgroundCommand opened_by_qemu(const std::string& arguments) const {
    return {"exec qemu-io " + arguments, directory_.path()};
  }
  CommandResult run(const std::string& command) const { return run_script(command, directory_.path()); }
  std::unique_ptr<FileDevice> open(const std::string& name) const {
    return FileDevice::open(directory_.file(name)).value();
  }

  TemporaryDirectory directory_;
};

TEST_F(Locks, the_bytes_of_a_checker_are_those_of_qemu) {
  const auto device = open("a.qcow2");
  EXPECT_EQ(message_of(take_locks(device->descriptor(), kImageCheckLocks)), "taken");
  EXPECT_THAT(locked_bytes(directory_.file("a.qcow2")), ElementsAre(100, 201, 203));
}

TEST_F(Locks, the_bytes_of_a_repairer_follow_from_its_plan) {
  const LockPlan repair{.wanted = kLockRead | kLockWrite | kLockResize,
                        .not_shared = kLockWrite | kLockResize};
  const auto device = open("a.qcow2");
  EXPECT_EQ(message_of(take_locks(device->descriptor(), repair)), "taken");
  EXPECT_THAT(locked_bytes(directory_.file("a.qcow2")), ElementsAre(100, 101, 103, 201, 203));
}

TEST_F(Locks, running_guest_is_in_the_way_and_is_named) {
  BackgroundCommand guest = opened_by_qemu("a.qcow2");
  ASSERT_TRUE(guest.ask("length", "10 MiB"));
  EXPECT_THAT(locked_bytes(directory_.file("a.qcow2")), ElementsAre(100, 101, 103, 201, 203));
  const auto device = open("a.qcow2");
  EXPECT_EQ(message_of(take_locks(device->descriptor(), kImageCheckLocks)),
            "in use: another process has it open for writing (lock byte 101): qemu-io (process " +
                std::to_string(guest.process()) + ")");
  // What we took is given back: the guest may be started again meanwhile.
  guest.finish();
  EXPECT_THAT(locked_bytes(directory_.file("a.qcow2")), ElementsAre());
  EXPECT_EQ(message_of(take_locks(device->descriptor(), kImageCheckLocks)), "taken");
}

TEST_F(Locks, looking_finds_the_guest_and_leaves_nothing) {
  const auto device = open("a.qcow2");
  EXPECT_EQ(message_of(look_at_locks(device->descriptor(), kImageCheckLocks)), "taken");
  EXPECT_THAT(locked_bytes(directory_.file("a.qcow2")), testing::IsEmpty());
  auto guest = opened_by_qemu("a.qcow2");
  ASSERT_TRUE(guest.ask("read 0 512", "read 512/512"));
  EXPECT_THAT(message_of(look_at_locks(device->descriptor(), kImageCheckLocks)), HasSubstr("in use"));
  EXPECT_EQ(message_of(use_locks(device->descriptor(), kImageCheckLocks, LockUse::none)), "taken");
}

TEST_F(Locks, other_readers_are_not_in_the_way) {
  BackgroundCommand reader = opened_by_qemu("-r a.qcow2");
  ASSERT_TRUE(reader.ask("length", "10 MiB"));
  const auto device = open("a.qcow2");
  EXPECT_EQ(message_of(take_locks(device->descriptor(), kImageCheckLocks)), "taken");
  const auto another = open("a.qcow2");
  EXPECT_EQ(message_of(take_locks(another->descriptor(), kImageCheckLocks)), "taken");
}

TEST_F(Locks, who_reads_without_locks_is_not_in_the_way) {
  const auto device = open("a.qcow2");
  ASSERT_EQ(message_of(take_locks(device->descriptor(), kImageCheckLocks)), "taken");
  BackgroundCommand reader = opened_by_qemu("-r -U a.qcow2");
  ASSERT_TRUE(reader.ask("length", "10 MiB"));
  const auto another = open("a.qcow2");
  EXPECT_EQ(message_of(take_locks(another->descriptor(), kImageCheckLocks)), "taken");
}

TEST_F(Locks, while_held_qemu_may_read_but_not_write) {
  const auto device = open("a.qcow2");
  ASSERT_EQ(message_of(take_locks(device->descriptor(), kImageCheckLocks)), "taken");
  EXPECT_EQ(run("qemu-img check a.qcow2").status, 0);
  EXPECT_EQ(run("qemu-img info a.qcow2").status, 0);
  EXPECT_EQ(run("qemu-img info -U a.qcow2").status, 0);
  EXPECT_EQ(run("qemu-io -r -c 'read 0 512' a.qcow2").status, 0);
  const CommandResult write = run("qemu-io -c 'write 0 512' a.qcow2");
  EXPECT_NE(write.status, 0);
  EXPECT_THAT(write.err, HasSubstr("lock"));
  EXPECT_NE(run("qemu-img check -r all a.qcow2").status, 0);
}

TEST_F(Locks, guest_keeps_us_off_its_data_file_too) {
  BackgroundCommand guest = opened_by_qemu("b.qcow2");
  ASSERT_TRUE(guest.ask("length", "10 MiB"));
  const auto data = open("data");
  EXPECT_THAT(message_of(take_locks(data->descriptor(), kDataFileCheckLocks)), HasSubstr("for writing"));
}

TEST_F(Locks, while_held_no_guest_gets_at_the_data_file) {
  const auto data = open("data");
  ASSERT_EQ(message_of(take_locks(data->descriptor(), kDataFileCheckLocks)), "taken");
  EXPECT_EQ(run("qemu-img check b.qcow2").status, 0);
  EXPECT_NE(run("qemu-io -c 'write 0 512' b.qcow2").status, 0);
}

// As cloud-hypervisor does.
TEST_F(Locks, file_locked_as_a_whole_is_in_use) {
  const Descriptor other(::open(directory_.file("a.qcow2").c_str(), O_RDWR | O_CLOEXEC));
  struct flock whole{.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0};
  ASSERT_EQ(fcntl(other.get(), F_OFD_SETLK, &whole), 0);
  const auto device = open("a.qcow2");
  const std::string self = "(process " + std::to_string(getpid()) + ")";
  EXPECT_EQ(message_of(take_locks(device->descriptor(), kImageCheckLocks)),
            "in use: another process has it locked for itself (lock byte 100): device_test " + self);
  whole.l_type = F_RDLCK;
  ASSERT_EQ(fcntl(other.get(), F_OFD_SETLK, &whole), 0);
  EXPECT_EQ(message_of(take_locks(device->descriptor(), kImageCheckLocks)),
            "in use: another process has it locked as a whole (lock byte 101): device_test " + self);
}

// QEMU on systems without open file description locks.
TEST_F(Locks, lock_of_a_process_is_seen) {
  const std::string image = directory_.file("a.qcow2");
  int ready[2], done[2];
  ASSERT_EQ(pipe2(ready, O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(done, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    const int file = ::open(image.c_str(), O_RDWR | O_CLOEXEC);
    struct flock lock{.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 103, .l_len = 1, .l_pid = 0};
    char byte = fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
    close(done[1]);
    if (write(ready[1], &byte, 1) == 1) _exit(static_cast<int>(::read(done[0], &byte, 1)));
    _exit(1);
  }
  char answer = 'n';
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  const auto device = open("a.qcow2");
  EXPECT_EQ(message_of(take_locks(device->descriptor(), kImageCheckLocks)),
            "in use: another process has it open for resizing (lock byte 103): device_test (process " +
                std::to_string(child) + ")");
  close(done[1]);
}

// errno of the calls that fail; 0: none do.
int set_fails = 0, get_fails = 0, interruptions = 0;

int answer(int code) {
  errno = interruptions-- > 0 ? EINTR : code;
  return errno == 0 ? 0 : -1;
}

const LockCalls kFakes{.set = [](int, struct flock&) { return answer(set_fails); },
                       .get =
                           [](int, struct flock& lock) {
                             lock.l_type = F_UNLCK;
                             return answer(get_fails);
                           }};

std::string with_fakes(int set_code, int get_code) {
  set_fails = set_code;
  get_fails = get_code;
  return message_of(take_locks(-1, kImageCheckLocks, kFakes));
}

TEST(LockCalls, file_system_without_locks_is_no_error) {
  for (const int code : {ENOLCK, EOPNOTSUPP, EINVAL, ENOSYS}) {
    EXPECT_EQ(with_fakes(code, 0), "unsupported");
    EXPECT_EQ(with_fakes(0, code), "unsupported");
  }
  EXPECT_THAT(std::string(describe(LockResult::unsupported)), HasSubstr("no locks"));
  EXPECT_EQ(describe(LockResult::taken), "");
}

TEST(LockCalls, other_errors_are_not_taken_for_the_absence_of_locks) {
  EXPECT_EQ(with_fakes(EIO, 0), "lock byte 100 cannot be examined: Input/output error");
  EXPECT_EQ(with_fakes(0, EIO), "lock byte 101 cannot be examined: Input/output error");
}

TEST(LockCalls, interrupted_calls_are_made_again) {
  interruptions = 3;
  EXPECT_EQ(with_fakes(0, 0), "taken");
}

}  // namespace
}  // namespace cowvet
