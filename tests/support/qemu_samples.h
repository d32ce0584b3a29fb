// Sound images as QEMU makes them, small but with everything in them.
#pragma once

#include <filesystem>
#include <ostream>
#include <span>

namespace cowvet {

struct QemuSample {
  const char* name;
  const char* script;  // makes a.qcow2
  const char* data_file = nullptr;
};

extern const std::span<const QemuSample> kQemuSamples;

// For the names of tests.
inline std::ostream& operator<<(std::ostream& out, const QemuSample& sample) {
  return out << sample.name;
}

// Throws where QEMU fails.
void make_qemu_sample(const QemuSample& sample, const std::filesystem::path& directory);

}  // namespace cowvet
