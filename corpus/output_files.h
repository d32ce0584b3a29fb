// Built images on disk.
#pragma once

#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "corpus/build.h"

namespace cowvet::corpus {

// Writes `bytes` without the blocks that are zero. The error is a message.
std::expected<void, std::string> write_sparse(const std::filesystem::path& path,
                                              std::span<const std::byte> bytes);

// Writes DIRECTORY/GROUP/NAME.qcow2 and beside it the data file and the backing file under the names that
// the image gives them. Names that leave the folder are not followed; those files are then left out.
// Returns what was written.
std::expected<std::vector<std::filesystem::path>, std::string> write_files(
    const Recipe& recipe, const BuiltImage& built, const std::filesystem::path& directory);

}  // namespace cowvet::corpus
