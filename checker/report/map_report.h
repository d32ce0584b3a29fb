// The extents of a map, written one at a time: a map may be longer than memory.
#pragma once

#include <cstdint>
#include <string>

#include "checker/analysis/map_clusters.h"
#include "checker/analysis/map_disk.h"

namespace cowvet {

enum class MapFormat : std::uint8_t { human, json };

// Gives the text to write before the first extent, for each extent, and behind the last one.
//
// JSON is that of `qemu-img map --output=json`, with the keys "compressed" (as QEMU has it from 8.2 on),
// "kind" and "file" added. The table for people has an extent a line, with offsets in hexadecimal.
class MapWriter {
 public:
  explicit MapWriter(MapFormat format) : format_(format) {}

  std::string begin() const;
  std::string extent(const MapExtent& extent);
  std::string end() const;

 private:
  MapFormat format_;
  bool any_ = false;
};

// The same for a map of the image file's own clusters. JSON keys: "offset", "length", "state" ("used",
// "contested", "leaked", "free"), and where something is there "structure" and "owner".
class ClusterMapWriter {
 public:
  explicit ClusterMapWriter(MapFormat format) : format_(format) {}

  std::string begin() const;
  std::string extent(const ClusterExtent& extent);
  std::string end() const;

 private:
  MapFormat format_;
  bool any_ = false;
};

}  // namespace cowvet
