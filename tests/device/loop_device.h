// A block device made of a file. Needs root and a free loop device: tests skip without.
#pragma once

#include <string>

#include "tests/support/run_command.h"

namespace cowvet {

class LoopDevice {
 public:
  explicit LoopDevice(const std::string& file) {
    const CommandResult made =
        run_script("PATH=$PATH:/sbin:/usr/sbin losetup -f --show " + shell_quote(file));
    if (made.status == 0) path_ = made.out.substr(0, made.out.find('\n'));
    why_not_ = made.err;
  }
  LoopDevice(const LoopDevice&) = delete;
  LoopDevice& operator=(const LoopDevice&) = delete;
  ~LoopDevice() {
    if (!path_.empty()) run_script("PATH=$PATH:/sbin:/usr/sbin losetup -d " + path_);
  }

  explicit operator bool() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  const std::string& why_not() const { return why_not_; }

 private:
  std::string path_;
  std::string why_not_;
};

}  // namespace cowvet
