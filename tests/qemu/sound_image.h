// Sound images, made by the real tools, and the expectation that cowvet finds nothing in them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <ostream>
#include <set>
#include <string>

namespace cowvet {

struct SoundImage {
  std::string name;      // of the test: letters, digits and underscores
  std::string commands;  // for sh in an empty directory; they leave `disk.qcow2`
  // The notices that are due, but for file/trailing: that is due wherever QEMU sees an end before the file's.
  std::set<std::string> notices = {};
  // How `qemu-img check` is told of the image where its name is not enough.
  std::string qemu_arguments = "-f qcow2 disk.qcow2";
  std::string cowvet_arguments = "disk.qcow2";

  friend std::ostream& operator<<(std::ostream& out, const SoundImage& image) { return out << image.name; }
};

// `text` as part of a test's name.
std::string name_from(std::string text);

// For INSTANTIATE_TEST_SUITE_P.
inline std::string name_of(const testing::TestParamInfo<SoundImage>& info) {
  return info.param.name;
}

// Shell functions and variables that commands may use:
//   create OPTIONS disk.qcow2 SIZE   makes an image
//   io -c COMMAND ...                runs qemu-io on disk.qcow2
//   monitor MACHINE COMMAND ...      runs a virtual machine on disk.qcow2, stopped, under HMP commands
//   luks_create OPTIONS SIZE         makes an encrypted disk.qcow2
//   luks_io -c COMMAND ...           runs qemu-io on that
//   pattern                          a file of text that compresses to about a third, 2 MiB
std::string with_helpers(const std::string& commands);

// For SoundImage::qemu_arguments of an encrypted image.
inline constexpr const char* kLuksArguments =
    "--object secret,id=key,data=abc --image-opts "
    "driver=qcow2,file.filename=disk.qcow2,encrypt.key-secret=key";

// Makes the image. `qemu-img check` must call it sound; so must cowvet, with no finding above a notice, no
// notice that is not due, and the same counters.
void expect_sound(const SoundImage& image);

// The same of an image that its commands have made already.
void expect_sound_in(const std::filesystem::path& directory, const SoundImage& image);

}  // namespace cowvet
