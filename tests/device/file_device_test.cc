#include "checker/device/file_device.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <fstream>
#include <limits>
#include <thread>
#include <vector>

#include "checker/device/descriptor.h"
#include "tests/device/loop_device.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

std::string made_file(const TemporaryDirectory& directory, std::string_view text) {
  std::string path = directory.file("file");
  std::ofstream(path) << text;
  return path;
}

std::string text_at(const Device& device, std::uint64_t offset, std::size_t length) {
  std::string text(length, '?');
  const auto done = device.read(offset, std::as_writable_bytes(std::span(text)));
  return done ? text : "error " + std::to_string(done.error().offset);
}

std::string message_of(const std::string& path) {
  const auto opened = FileDevice::open(path);
  return opened ? "opened" : opened.error().message;
}

TEST(FileDevice, reads_zeros_behind_the_end) {
  const TemporaryDirectory directory;
  const auto device = FileDevice::open(made_file(directory, "abcdef")).value();
  EXPECT_EQ(device->size_bytes(), 6u);
  EXPECT_EQ(device->name(), directory.file("file"));
  EXPECT_FALSE(device->is_block_device());
  EXPECT_EQ(text_at(*device, 2, 3), "cde");
  EXPECT_EQ(text_at(*device, 4, 4), std::string("ef\0\0", 4));
  EXPECT_EQ(text_at(*device, 6, 2), std::string(2, '\0'));
  EXPECT_EQ(text_at(*device, ~std::uint64_t{0} - 1, 8), std::string(8, '\0'));
}

TEST(FileDevice, file_that_becomes_shorter_reads_as_zeros) {
  const TemporaryDirectory directory;
  const auto device = FileDevice::open(made_file(directory, "abcdef")).value();
  std::filesystem::resize_file(directory.file("file"), 3);
  EXPECT_EQ(text_at(*device, 1, 5), std::string("bc\0\0\0", 5));
}

TEST(FileDevice, error_names_path_and_reason) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("none");
  const auto opened = FileDevice::open(path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, path + ": No such file or directory");
  EXPECT_EQ(opened.error().code, ENOENT);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(FileDevice, only_regular_files_and_block_devices_are_opened) {
  const TemporaryDirectory directory;
  const std::string path = directory.path();
  EXPECT_EQ(message_of(path), path + " is a directory: only regular files and block devices are examined");
  EXPECT_EQ(message_of("/dev/null"),
            "/dev/null is a character device: only regular files and block devices are examined");

  const Descriptor listener(socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, directory.file("socket").c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_TRUE(message_of(directory.file("socket")).contains("is a socket"));
}

// Opening a FIFO for reading would wait for a writer, or let a waiting one go on.
TEST(FileDevice, fifo_is_refused_without_opening_it) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("fifo");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_TRUE(message_of(path).contains("is a FIFO"));

  std::atomic<bool> went_on = false;
  const std::jthread writer([&] {
    const Descriptor opened(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    went_on = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(message_of(path).contains("is a FIFO"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(went_on);
  const Descriptor reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

TEST(FileDevice, examining_leaves_no_trace) {
  const TemporaryDirectory directory;
  const std::string path = made_file(directory, "abcdef");
  // A read would move an access time as old as this one forward.
  const timespec long_ago{.tv_sec = 1'000'000'000, .tv_nsec = 0};
  const std::array<timespec, 2> times{long_ago, {.tv_sec = 1'100'000'000, .tv_nsec = 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  struct stat before{}, after{};
  stat(path.c_str(), &before);
  {
    const auto device = FileDevice::open(path).value();
    EXPECT_EQ(text_at(*device, 0, 6), "abcdef");
    device->next_data(0);
  }
  stat(path.c_str(), &after);
  EXPECT_EQ(after.st_atim.tv_sec, long_ago.tv_sec);
  EXPECT_EQ(after.st_mtim.tv_sec, before.st_mtim.tv_sec);
  EXPECT_EQ(after.st_ctim.tv_nsec, before.st_ctim.tv_nsec);
  EXPECT_EQ(after.st_size, before.st_size);
}

// Only the owner of a file may read it without leaving an access time.
TEST(FileDevice, file_of_somebody_else_can_be_read) {
  constexpr uid_t kNobody = 65534;
  const bool root = geteuid() == 0;
  if (root) {
    ASSERT_EQ(seteuid(kNobody), 0);
  }
  const auto opened = FileDevice::open("/etc/passwd");
  const Descriptor refused(open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NOATIME));
  const int code = errno;
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_TRUE(opened) << opened.error().message;
  EXPECT_FALSE(refused);
  EXPECT_EQ(code, EPERM);
}

TEST(FileDevice, symbolic_link_is_followed_for_the_user_only) {
  const TemporaryDirectory directory;
  const std::string path = made_file(directory, "abcdef");
  std::filesystem::create_symlink("file", directory.path() / "link");
  const auto linked = FileDevice::open(directory.file("link"));
  ASSERT_TRUE(linked);
  EXPECT_EQ((*linked)->identity(), (*FileDevice::open(path))->identity());

  const Descriptor in(open(directory.path().c_str(), O_PATH | O_CLOEXEC));
  EXPECT_EQ(FileDevice::open_in(in.get(), "link", "shown").error().code, ELOOP);
  const auto file = FileDevice::open_in(in.get(), "file", "shown");
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->name(), "shown");
  EXPECT_EQ(text_at(**file, 0, 6), "abcdef");
}

// Files in memory may be as large as a file can be.
class SparseFile {
 public:
  explicit SparseFile(std::uint64_t size) : descriptor_(memfd_create("sparse", MFD_CLOEXEC)) {
    EXPECT_EQ(ftruncate(descriptor_.get(), static_cast<off_t>(size)), 0);
  }
  void put(std::uint64_t offset, std::string_view text) const {
    EXPECT_EQ(pwrite(descriptor_.get(), text.data(), text.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(text.size()));
  }
  std::unique_ptr<FileDevice> open() const {
    return FileDevice::open("/proc/self/fd/" + std::to_string(descriptor_.get())).value();
  }

 private:
  Descriptor descriptor_;
};

TEST(FileDevice, holes_are_known_up_to_the_largest_size) {
  constexpr std::uint64_t kPage = 4096;
  constexpr std::uint64_t kLargest = std::numeric_limits<off_t>::max() / kPage * kPage;
  const SparseFile file(kLargest);
  constexpr std::uint64_t last_page = kLargest - kPage;
  file.put(10 * kPage, "first");
  file.put(std::uint64_t{1} << 62, "second");
  file.put(last_page, "third");
  const auto device = file.open();
  EXPECT_EQ(device->size_bytes(), kLargest);
  EXPECT_EQ(device->next_data(0), (DataExtent{10 * kPage, 11 * kPage}));
  EXPECT_EQ(device->next_data(10 * kPage + 17), (DataExtent{10 * kPage + 17, 11 * kPage}));
  EXPECT_EQ(device->next_data(11 * kPage), (DataExtent{1ULL << 62, (1ULL << 62) + kPage}));
  EXPECT_EQ(device->next_data((1ULL << 62) + kPage), (DataExtent{last_page, kLargest}));
  EXPECT_EQ(device->next_data(kLargest), (DataExtent{kLargest, kLargest}));
  EXPECT_EQ(device->next_data(~std::uint64_t{0}), (DataExtent{kLargest, kLargest}));
  EXPECT_EQ(text_at(*device, last_page, 5), "third");
  EXPECT_EQ(text_at(*device, kLargest - 1, 2), std::string(2, '\0'));
}

TEST(FileDevice, hole_up_to_the_end_is_no_data) {
  const SparseFile file(1 << 20);
  file.put(0, "x");
  const auto device = file.open();
  EXPECT_EQ(device->next_data(4096), (DataExtent{1 << 20, 1 << 20}));
}

TEST(FileDevice, holes_can_be_asked_for_in_any_order) {
  constexpr std::uint64_t kPage = 4096;
  const SparseFile file(100 * kPage);
  for (const std::uint64_t page : {3, 4, 10, 50}) file.put(page * kPage, "x");
  const auto device = file.open();
  for (std::uint64_t step = 0; step < 1000; ++step) {
    const std::uint64_t offset = step * 7919 * 61 % (100 * kPage);
    EXPECT_EQ(device->next_data(offset), file.open()->next_data(offset)) << offset;
  }
}

TEST(FileDevice, hard_links_are_one_file) {
  const TemporaryDirectory directory;
  const std::string path = made_file(directory, "abc");
  std::filesystem::create_hard_link(path, directory.path() / "other");
  std::ofstream(directory.file("copy")) << "abc";
  const auto identity = FileDevice::open(path).value()->identity();
  EXPECT_EQ(FileDevice::open(directory.file("other")).value()->identity(), identity);
  EXPECT_NE(FileDevice::open(directory.file("copy")).value()->identity(), identity);
}

TEST(FileDevice, block_device_is_read_whole) {
  const TemporaryDirectory directory;
  const std::string file = made_file(directory, std::string(8192, 'a') + std::string(4096, 'b'));
  const LoopDevice loop(file);
  if (!loop) GTEST_SKIP() << "no block device can be made: " << loop.why_not();
  const auto opened = FileDevice::open(loop.path());
  ASSERT_TRUE(opened) << opened.error().message;
  const FileDevice& device = **opened;
  EXPECT_TRUE(device.is_block_device());
  EXPECT_EQ(device.size_bytes(), 12288u);
  EXPECT_EQ(text_at(device, 8190, 4), "aabb");
  EXPECT_EQ(text_at(device, 12287, 2), std::string("b\0", 2));
  EXPECT_EQ(device.next_data(100), (DataExtent{100, 12288}));
  EXPECT_EQ(device.next_data(12288), (DataExtent{12288, 12288}));

  struct stat status{};
  ASSERT_EQ(stat(loop.path().c_str(), &status), 0);
  ASSERT_EQ(mknod(directory.file("node").c_str(), S_IFBLK | 0600, status.st_rdev), 0);
  EXPECT_EQ(FileDevice::open(directory.file("node")).value()->identity(), device.identity());
}

// A loop device whose file lost its end has nothing to answer with there.
TEST(FileDevice, error_of_a_block_device_names_the_place) {
  const TemporaryDirectory directory;
  const std::string file = made_file(directory, std::string(1 << 20, 'a'));
  const LoopDevice loop(file);
  if (!loop) GTEST_SKIP() << "no block device can be made: " << loop.why_not();
  std::filesystem::resize_file(file, 300 * 1024);
  const auto device = FileDevice::open(loop.path()).value();
  EXPECT_EQ(text_at(*device, 0, 300 * 1024), std::string(300 * 1024, 'a'));
  EXPECT_EQ(text_at(*device, 1000, 1 << 19), "error " + std::to_string(300 * 1024));
  EXPECT_EQ(text_at(*device, 0, 1 << 20), "error " + std::to_string(300 * 1024));
}

}  // namespace
}  // namespace cowvet
