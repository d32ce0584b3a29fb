// An image and the backing files behind it, opened one after the other for a map.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/analysis/map_disk.h"
#include "checker/device/companion.h"

namespace cowvet {

// Gives the rules by which the image at a path opens its backing file. Empty: nothing is followed.
using OpenBackingOf = std::function<OpenCompanion(const std::string& image_path)>;

class DiskChain {
 public:
  // Loads the header of `image` and everything before its L2 tables, then follows its backing files.
  DiskChain(const Device& image, const OpenBackingOf& open_backing_of);
  ~DiskChain();

  // Of the image itself. Where the header is not usable there is nothing to map.
  const Context& context() const;
  bool usable() const;

  // Why backing files are not part of the chain, though there are some; empty: all are.
  const std::string& missing() const { return missing_; }
  // Whether that is because something failed, not because nobody allowed it.
  bool incomplete() const { return incomplete_; }

  // The disk of the image, or of the snapshot whose id, else name, is `snapshot` (empty: the active disk).
  std::expected<DiskMap, std::string> map(const std::string& snapshot) const;

 private:
  struct Layer;

  void follow(const OpenBackingOf& open_backing_of);
  void stop(std::string why, bool failed);
  bool seen(const Device& device) const;

  std::vector<std::unique_ptr<Layer>> layers_;
  std::string missing_;
  bool incomplete_ = false;
};

}  // namespace cowvet
