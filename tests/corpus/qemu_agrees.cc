#include "tests/corpus/qemu_agrees.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "corpus/output_files.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet::corpus {
namespace {

// The first byte at which a raw file differs from what the guest should see; nothing where it does not.
class RawFile {
 public:
  explicit RawFile(const std::filesystem::path& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~RawFile() { close(fd_); }

  // Where the file has data, and where the disk does: all else is zero on both sides.
  void expect_same(const GuestDisk& disk, std::uint64_t disk_bytes, std::uint64_t backing_bytes) const {
    ASSERT_GE(fd_, 0);
    EXPECT_EQ(lseek(fd_, 0, SEEK_END), static_cast<off_t>(disk_bytes));
    for (const std::uint64_t unit : disk.written_units())
      expect_same_range(disk, unit, disk.unit_bytes(), disk_bytes);
    expect_same_range(disk, 0, backing_bytes, disk_bytes);
    for (off_t begin = lseek(fd_, 0, SEEK_DATA); begin >= 0;) {
      const off_t end = lseek(fd_, begin, SEEK_HOLE);
      expect_same_range(disk, static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end - begin),
                        disk_bytes);
      begin = lseek(fd_, end, SEEK_DATA);
    }
  }

 private:
  void expect_same_range(const GuestDisk& disk, std::uint64_t at, std::uint64_t length,
                         std::uint64_t limit) const {
    const std::uint64_t end = std::min(at + length, limit);
    std::vector<std::byte> found(1 << 16), expected;
    while (at < end && !testing::Test::HasFailure()) {
      found.resize(std::min<std::uint64_t>(found.size(), end - at));
      expected.resize(found.size());
      ASSERT_EQ(pread(fd_, found.data(), found.size(), static_cast<off_t>(at)),
                static_cast<ssize_t>(found.size()));
      disk.read(at, expected);
      const auto [f, e] = std::ranges::mismatch(found, expected);
      if (f != found.end())
        ADD_FAILURE() << "guest offset " << at + static_cast<std::uint64_t>(f - found.begin()) << " reads "
                      << static_cast<int>(*f) << " instead of " << static_cast<int>(*e);
      at += found.size();
    }
  }

  int fd_;
};

// One image in a directory of its own.
class Proof {
 public:
  Proof(const Recipe& recipe, const BuiltImage& built) : recipe_(recipe), built_(built) {}

  void run() {
    ASSERT_TRUE(write_files(recipe_, built_, directory_.path()));
    expect_success("mv */* .");
    expect_success("qemu-img info " + file_);
    // Nothing can be decrypted with the key material of a LUKS header in the corpus: QEMU goes no further.
    if (recipe_.image.crypt == CryptMethod::luks) return;
    expect_success("qemu-img check " + image_words());
    if (recipe_.image.crypt != CryptMethod::none) return;
    expect_content("", built_.disk);
    // QEMU gives the disk of a snapshot the size of the active one.
    for (const auto& [id, disk] : built_.snapshot_disks) expect_content("-l snapshot.id=" + id, disk);
  }

 private:
  // How to name the image to QEMU; AES needs some password, which it cannot verify.
  std::string image_words() const {
    if (recipe_.image.crypt != CryptMethod::aes) return file_;
    return "--object secret,id=key,data=any --image-opts driver=qcow2,encrypt.key-secret=key,file.filename=" +
           file_;
  }

  void expect_success(const std::string& command) const {
    const CommandResult result = run_script(command, directory_.path());
    EXPECT_EQ(result.status, 0) << command << '\n' << result.out << result.err << '\n' << recipe_.text;
  }

  void expect_content(const std::string& source_option, const GuestDisk& disk) const {
    expect_success("rm -f raw && qemu-img convert -O raw " + source_option + " " + file_ + " raw");
    const std::uint64_t backing = built_.backing_file ? built_.backing_file->size() : 0;
    RawFile(directory_.path() / "raw").expect_same(disk, built_.layout.header.size, backing);
  }

  const Recipe& recipe_;
  const BuiltImage& built_;
  TemporaryDirectory directory_;
  std::string file_ = recipe_.short_name() + ".qcow2";
};

}  // namespace

void expect_qemu_agrees(const Recipe& recipe) {
  const auto built = build(recipe);
  ASSERT_TRUE(built) << built.error().text();
  Proof(recipe, *built).run();
}

}  // namespace cowvet::corpus
