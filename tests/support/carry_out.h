// Carries out plans on bytes in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "checker/device/memory_device.h"
#include "checker/planning/plan.h"

namespace cowvet {

// False: a write does not fit, or finds other bytes than it says.
inline bool carry_out(const Plan& plan, std::vector<std::byte>& image,
                      std::optional<std::vector<std::byte>>& data_file) {
  const MemoryDevice old_image(image);
  const MemoryDevice old_data_file(data_file.value_or(std::vector<std::byte>()));
  image.resize(std::max<std::size_t>(image.size(), plan.image_bytes_after));
  if (data_file) data_file->resize(std::max<std::size_t>(data_file->size(), plan.data_file_bytes_after));
  std::vector<std::byte> bytes;
  for (const Step& step : plan.steps)
    for (const Write& write : step.writes) {
      if (write.target == File::data_file && !data_file) return false;
      const Device& original = write.target == File::image ? old_image : old_data_file;
      std::vector<std::byte>& file = write.target == File::image ? image : *data_file;
      if (write.offset > file.size() || write.new_bytes.size() > file.size() - write.offset) return false;
      const auto at = file.begin() + static_cast<std::ptrdiff_t>(write.offset);
      bytes.resize(write.old_bytes.size());
      if (!write.old_bytes.read(0, bytes, original) ||
          !std::ranges::equal(bytes, std::span(at, bytes.size())))
        return false;
      bytes.resize(write.new_bytes.size());
      if (!write.new_bytes.read(0, bytes, original)) return false;
      std::ranges::copy(bytes, at);
    }
  return true;
}

inline bool carry_out(const Plan& plan, std::vector<std::byte>& image) {
  std::optional<std::vector<std::byte>> no_data_file;
  return carry_out(plan, image, no_data_file);
}

}  // namespace cowvet
