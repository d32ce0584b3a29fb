// What else a qcow2 file is: a file that two programs take for different formats can show one content to who
// checks it and another one to who uses it.
#pragma once

#include <expected>
#include <string_view>
#include <vector>

#include "checker/device/device.h"

namespace cowvet {

struct OtherFormat {
  std::string_view name;
  std::uint64_t offset = 0;  // bytes, of what gives it away
  bool partition_table = false;
};

// ISO 9660, UDF, VHD, VHDX, VMDK (its footer), LUKS2 (its second header), MBR and GPT, each by what stands at
// the place where the format has it.
std::expected<std::vector<OtherFormat>, IoError> find_other_formats(const Device& device);

}  // namespace cowvet
