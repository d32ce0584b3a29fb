// The guest's view of a disk through its backing files, as `qemu-img map` gives it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checker/analysis/guest_extents.h"

namespace cowvet {

struct MapExtent {
  GuestRange guest;
  unsigned depth = 0;  // 0: the image itself; 1: its backing file; ...
  ExtentKind kind = ExtentKind::unallocated;
  bool present = false;                      // this depth decides what the guest reads
  bool zero = false;                         // known to read as zeros
  bool data = false;                         // has content of its own
  std::optional<std::uint64_t> host_offset;  // of plain data, and of what is kept for zeros
  const std::string* file = nullptr;         // that `host_offset` lies in

  bool operator==(const MapExtent&) const = default;
};

// False stops the map.
using MapSink = std::function<bool(const MapExtent&)>;

class DiskMap {
 public:
  // Layers from the image down. What they are made from has to outlive the map. `data_file` is the name of
  // the file that holds the layer's guest data: the image file or its external data file.
  void add_qcow2(const Context& context, DiskState disk, std::string data_file);
  void add_raw(const Device& device, std::string name);

  // The last layer has a backing file that was not opened: what it leaves unallocated is unknown, not zeros.
  void set_backing_unknown() { backing_unknown_ = true; }

  // Hands out the extents of the first layer's disk in order, alike neighbours merged. False: the sink
  // stopped it.
  bool map(const MapSink& sink);

  // Of what was handed out: anything damaged, anything that could not be read.
  bool any_invalid() const { return any_invalid_; }
  bool any_unreadable() const { return any_unreadable_; }

 private:
  struct Layer {
    std::string file;
    std::uint64_t disk_bytes = 0;
    std::unique_ptr<ExtentWalker> walker;  // qcow2
    const Device* raw = nullptr;           // else
  };

  bool map_layer(unsigned depth, GuestRange range);
  bool map_raw(unsigned depth, GuestRange range);
  bool map_unallocated(unsigned depth, GuestRange range);
  bool emit(const MapExtent& extent);
  bool flush();

  std::vector<Layer> layers_;
  bool backing_unknown_ = false;
  bool any_invalid_ = false;
  bool any_unreadable_ = false;
  const MapSink* sink_ = nullptr;
  MapExtent pending_;
};

}  // namespace cowvet
