// A companion that was opened once, handed out again and again over an overlay.
#pragma once

#include <memory>
#include <string>

#include "checker/device/borrowed_device.h"
#include "checker/device/companion.h"

namespace cowvet {

class FixedCompanion {
 public:
  // Both must outlive it. `device` stands for the one that was opened.
  FixedCompanion(const Companion& opened, const Device* device) : opened_(opened), device_(device) {}

  Companion operator()(const std::string&) const {
    Companion companion{
        .state = opened_.state, .path = opened_.path, .why = opened_.why, .identity = opened_.identity};
    companion.device = std::make_unique<BorrowedDevice>(*device_);
    return companion;
  }

 private:
  const Companion& opened_;
  const Device* device_;
};

}  // namespace cowvet
