// The image and the data file as a plan makes them, on overlays: nothing is held but what the plan holds.
#pragma once

#include <memory>
#include <string>

#include "checker/device/overlay_device.h"
#include "checker/planning/plan.h"

namespace cowvet {

class PlannedFiles {
 public:
  // `data_file` may be nullptr. Both must outlive this.
  PlannedFiles(const Device& image, const Device* data_file)
      : image_(image), data_file_(data_file ? std::make_unique<OverlayDevice>(*data_file) : nullptr) {}

  // Why the plan cannot be applied, for people: it does not fit, or the bytes are not there that it was made
  // for. Empty: it was applied.
  std::string apply(const Plan& plan);

  OverlayDevice& image() { return image_; }
  OverlayDevice* data_file() { return data_file_.get(); }
  const OverlayDevice& of(File target) const { return target == File::image ? image_ : *data_file_; }

 private:
  std::string apply(const Write& write, const Plan& plan);

  OverlayDevice image_;
  std::unique_ptr<OverlayDevice> data_file_;
};

}  // namespace cowvet
