#include "repair/cli/repair_copy.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "checker/cli/open_images.h"
#include "repair/cli/carry_out.h"
#include "repair/cli/files_for_repair.h"
#include "repair/cli/image_copy.h"
#include "repair/cli/make_decision.h"
#include "repair/cli/stop_signals.h"
#include "repair/cli/unfinished.h"

namespace cowvet {
namespace {

bool writes_to_data_file(const Plan& plan) {
  const bool any = std::ranges::any_of(plan.steps, [](const Step& step) {
    return std::ranges::any_of(step.writes, [](const Write& write) { return write.target != File::image; });
  });
  return any || (plan.data_file && plan.data_file_bytes_after != plan.data_file->size_bytes);
}

// The plan as it applies to a file with the same content; the data file is not its business.
Plan plan_for_copy(Plan plan, const FileWritableDevice& copy) {
  plan.image.path = copy.name();
  plan.image.identity = copy.identity();
  plan.data_file.reset();
  plan.data_file_bytes_after = 0;
  return plan;
}

// Only ending, message and left are filled in.
Outcome carry_out_on_copy(const RepairOptions& options, const OpenedImage& opened, const Plan& plan) {
  const StopSignals signals;
  auto copy = ImageCopy::make(*opened.image, options.output, [&] { return signals.is_requested(); });
  if (!copy) return {Ending::failed, copy.error()};
  auto files = FilesForRepair::open_copy((*copy)->path(), opened.open_data_file, opened.open_backing);
  if (!files) return std::move(files.error());
  RepairOptions here = options;
  here.keep_undo = false;
  DirectoryStorage storage = make_storage(here, (*copy)->path());
  Outcome outcome = carry_out({here, **files, storage}, plan_for_copy(plan, (*files)->image()));
  if (outcome.ending == Ending::unfinished) {
    // Nobody needs to go on with it: the original is as it was.
    outcome.ending = Ending::taken_back;
    std::ignore = storage.remove();
  }
  if (outcome.ending != Ending::repaired) return outcome;
  if (const auto published = (*copy)->publish(); !published) return {Ending::failed, published.error()};
  outcome.left->image_name = options.output;
  return outcome;
}

}  // namespace

Outcome repair_copy(const RepairOptions& options) {
  std::error_code unseen;
  if (std::filesystem::exists(std::filesystem::symlink_status(options.output, unseen)))
    return {Ending::refused, fmt::format("{} is there already: --output makes a new file", options.output)};
  const auto opened = open_image(options.image_path, options.image);
  if (!opened) return could_not_open(opened.error());
  if (auto refused = refuse_unfinished(options)) return std::move(*refused);
  Outcome outcome;
  if (!make_or_read_plan(opened->inputs(), options, outcome)) return outcome;
  if (writes_to_data_file(*outcome.plan)) {
    outcome.ending = Ending::refused;
    outcome.message =
        "the plan also writes to the data file, which --output leaves alone: repair the image in place, or "
        "copies of both files (--data-file names the copy)";
    return outcome;
  }
  if (!get_consent(options, outcome)) return outcome;
  Outcome done = carry_out_on_copy(options, *opened, *outcome.plan);
  done.found = std::move(outcome.found);
  done.plan = std::move(outcome.plan);
  if (done.ending == Ending::repaired) done.output = options.output;
  return done;
}

}  // namespace cowvet
