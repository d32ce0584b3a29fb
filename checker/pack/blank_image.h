// A copy of an image, in memory, without guest data, of which cowvet says the same as of the image.
//
// What is kept is what the checker reads as metadata: header, tables, refcount blocks, lost tables that it
// found. Everything that it never reads is zeros, all guest data among it. What it does read of guest data is
// replaced by something that comes to the same:
//   - leaked clusters with content (it looks for lost tables there) by a mark that is no table;
//   - the data file, where the metadata says that it must be zeros and it is not: the first byte of each
//     sector that is not zero becomes 1, the rest zeros;
//   - digests, salts and the UUID of a LUKS header by zeros.
//
// Clusters are *doubtful* where damage makes it impossible to tell metadata from guest data: several claim
// them, or a table's pointer leads to what does not look like one. They are blanked too, unless that changes
// what cowvet says and the caller consents to keep them.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/device/overlay_device.h"
#include "checker/pack/recording_device.h"

namespace cowvet {

struct BlankOptions {
  Options analysis;            // all findings are compared, whatever it says about their number
  bool keep_doubtful = false;  // they may hold guest data
  bool blank_names = false;    // of snapshots, bitmaps, and other files
};

struct BlankFile {
  explicit BlankFile(const Device& like) : empty(like), content(empty) {}

  EmptyDevice empty;
  OverlayDevice content;
};

struct BlankImage {
  bool is_qcow2 = true;  // else there is nothing to pack
  std::unique_ptr<BlankFile> image;
  std::unique_ptr<BlankFile> data_file;  // null: it has none, or none that was examined
  // The data file is the image itself, which makes a finding: it has to be named again when the copy is
  // checked.
  bool data_file_is_image = false;
  std::uint64_t doubtful_clusters = 0;  // blanked, or kept
  // What cowvet says of the copy that it does not say of the image, or the other way round, as rules. With
  // blank_names findings are only counted.
  std::vector<std::string> differences;
};

BlankImage blank_image(const Inputs& inputs, const BlankOptions& options);

}  // namespace cowvet
