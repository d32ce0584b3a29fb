#include "checker/planning/planned_files.h"

#include <fmt/format.h>

#include "checker/format/units.h"
#include "checker/planning/original_bytes.h"

namespace cowvet {
namespace {

std::string changed(const Device& device, std::uint64_t offset) {
  return fmt::format("{} has changed at {:#x} since the plan was made", device.name(), offset);
}

}  // namespace

std::string PlannedFiles::apply(const Plan& plan) {
  for (const Step& step : plan.steps)
    for (const Write& write : step.writes)
      if (std::string wrong = apply(write, plan); !wrong.empty()) return wrong;
  if (plan.image_bytes_after < image_.size_bytes()) return "the plan would cut the image";
  image_.resize(plan.image_bytes_after);
  if (!data_file_) return "";
  if (plan.data_file_bytes_after < data_file_->size_bytes()) return "the plan would cut the data file";
  data_file_->resize(plan.data_file_bytes_after);
  return "";
}

std::string PlannedFiles::apply(const Write& write, const Plan& plan) {
  const bool in_image = write.target == File::image;
  if (!in_image && (!data_file_ || write.target != File::data_file))
    return "the plan writes to a file that it does not name";
  OverlayDevice& device = in_image ? image_ : *data_file_;
  const std::uint64_t end = in_image ? plan.image_bytes_after : plan.data_file_bytes_after;
  if (write.old_bytes.size() != write.new_bytes.size() || !fits_in(write.offset, write.new_bytes.size(), end))
    return fmt::format("the plan's write to {} at {:#x} does not fit", device.name(), write.offset);
  for (const Content* content : {&write.old_bytes, &write.new_bytes})
    if (const auto at = find_changed_original(*content, device.below())) return changed(device, *at);
  if (!holds(device, write.offset, write.old_bytes, device.below())) return changed(device, write.offset);
  device.put(write.offset, write.new_bytes);
  return "";
}

}  // namespace cowvet
