// Sound images that qemu-img cannot be made to write in reasonable time.
#pragma once

#include <cstdint>
#include <filesystem>

namespace cowvet::bench {

// Every guest cluster allocated, each at a random place of the image file; clusters of 64 KiB. Only metadata
// is written: the file is sparse.
void write_scattered_image(const std::filesystem::path& path, std::uint64_t disk_bytes);

}  // namespace cowvet::bench
