#include "repair/cli/discard_free.h"

#include "checker/analysis/map_clusters.h"
#include "checker/analysis/passes.h"
#include "checker/cli/progress_display.h"
#include "repair/changes.h"

namespace cowvet {

std::expected<std::uint64_t, std::string> discard_free_clusters(const Workplace& place) {
  FileWritableDevice& image = place.files.image();
  const Inputs inputs = place.files.inputs();
  Options options = place.options.analysis();
  options.guest_data = false;
  Progress progress;
  const ProgressDisplay display(progress, place.options.image_path, place.options.progress);
  Context context(inputs, options, progress);
  context.keep_references = true;
  run_passes(context);
  if (finish_report(context).worst > Severity::leak) return std::unexpected("the image is not sound");
  std::uint64_t bytes = 0;
  std::expected<void, IoError> done;
  map_clusters(context, [&](const ClusterExtent& extent) {
    if (extent.state != ClusterState::free) return true;
    done = image.discard(extent.offset, extent.length);
    bytes += extent.length;
    return done.has_value();
  });
  if (done) done = image.flush();
  if (!done) return std::unexpected(describe_io_error("discard", image.name(), done.error()));
  return bytes;
}

}  // namespace cowvet
