// Where a plan comes into being: every remedy writes into overlays of the image and the data file, and each
// write is noted in the step at hand. The devices themselves are never touched.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "checker/device/overlay_device.h"
#include "checker/format/endian.h"
#include "checker/planning/plan.h"

namespace cowvet {

class Editor {
 public:
  // `data_file` may be nullptr. `most_held_bytes`: as PlanOptions.
  Editor(const Device& image, const Device* data_file, std::uint64_t most_held_bytes);

  OverlayDevice& image() { return image_; }
  OverlayDevice* data_file() { return data_file_.get(); }

  // Opens a step; writes belong to it until the next one is opened. Steps without a write are dropped.
  Step& begin(RuleId rule, Remedy remedy, std::string why, Phase phase = Phase::pointers);

  // Bytes that already are what they should be are not written. The image must be readable there.
  void write(File target, std::uint64_t offset, std::span<const std::byte> bytes);
  template <std::unsigned_integral T>
  void write_number(File target, std::uint64_t offset, T value) {
    std::byte raw[sizeof(T)];
    store_big_endian(raw, value);
    write(target, offset, raw);
  }
  // Writes what lies at `from` in the same file, which must be readable. However much that is, the plan holds
  // little of it.
  void copy(File target, std::uint64_t from, std::uint64_t to, std::uint64_t length);
  // The same of what lay there before the repair, which may have been written over since.
  void copy_original(File target, std::uint64_t from, std::uint64_t to, std::uint64_t length);
  // Makes a file longer by a hole; it never becomes shorter.
  void grow(File target, std::uint64_t size_bytes);

  template <std::unsigned_integral T>
  T read_number(File target, std::uint64_t offset) {
    std::byte raw[sizeof(T)]{};
    if (!device(target).read(offset, raw)) return 0;
    return load_big_endian<T>(raw);
  }

  std::uint64_t changes() const { return changes_; }  // writes and growths so far
  std::vector<Step> take_steps();

 private:
  OverlayDevice& device(File target) { return target == File::data_file ? *data_file_ : image_; }
  Content find_content(File target, std::uint64_t offset, std::uint64_t length);
  void put(File target, std::uint64_t offset, const Content& content);

  OverlayDevice image_;
  std::unique_ptr<OverlayDevice> data_file_;
  std::uint64_t spare_bytes_;  // that the plan may still hold
  std::vector<Step> steps_;
  std::uint64_t changes_ = 0;
};

}  // namespace cowvet
