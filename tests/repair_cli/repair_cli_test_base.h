// Runs the real cowvet-repair on real images, in a directory of the test's own.
#pragma once

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <iterator>
#include <string>

#include "tests/cli/cli_test_base.h"

namespace cowvet {

class RepairCliTest : public CliTest {
 protected:
  CommandResult repair(const std::string& arguments) const {
    return shell(shell_quote(COWVET_REPAIR_PROGRAM) + " " + arguments);
  }

  std::string content(const std::string& name) const {
    std::ifstream file(directory_.file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(directory_.file(name), std::ios::binary) << bytes;
  }
  bool exists(const std::string& name) const {
    struct stat status{};
    return lstat(directory_.file(name).c_str(), &status) == 0;
  }
  // The names in the directory, in order, a blank between them.
  std::string names() const {
    std::string out = shell("LC_ALL=C ls -A | tr '\\n' ' '").out;
    if (!out.empty()) out.pop_back();
    return out;
  }

  // The refcount block wiped: safe to repair, and all sound afterwards.
  void make_wiped_refcounts(const std::string& name) const {
    make_image(name);
    wipe_refcounts(name);
  }
  void wipe_refcounts(const std::string& name) const {
    prepare("dd if=/dev/zero of=" + name + " bs=64k seek=2 count=1 conv=notrunc status=none");
  }
  // An L2 entry that points behind the end of the file, and no cluster that it might have meant: only
  // --allow lossy settles it.
  void make_lossy(const std::string& name) const {
    make_image(name);
    poke(name, 2 * 65536 + 2 * 6, std::uint16_t{0});
    poke(name, l2_offset(name) + 8, std::uint64_t{0x8000000000000000} | (std::uint64_t{1} << 40));
  }
};

}  // namespace cowvet
