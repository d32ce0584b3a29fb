// What only shows across images: two that keep their guest's data in one file.
#pragma once

#include <optional>
#include <span>

#include "checker/analysis/analyze.h"

namespace cowvet {

// The files behind one report, where they were opened.
struct FilesOf {
  Report* report = nullptr;
  std::optional<FileIdentity> image;
  std::optional<FileIdentity> data_file;
};

// Adds data-file/shared to the report of each image whose data file is also that of another image. One image
// that was given twice is not another.
void check_shared_data_files(std::span<const FilesOf> images);

}  // namespace cowvet
