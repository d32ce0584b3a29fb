// cowvet map: where the guest's data lies, or what each cluster of the image file is for.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <vector>

#include "checker/analysis/disk_chain.h"
#include "checker/analysis/map_clusters.h"
#include "checker/analysis/passes.h"
#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"
#include "checker/cli/open_images.h"
#include "checker/device/follow.h"
#include "checker/report/map_report.h"
#include "checker/report/verdict.h"

namespace cowvet {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kHelp =
    "Prints where the guest's disk lies, extent by extent, through backing files that may be followed.\n"
    "With --output json the keys are those of `qemu-img map --output=json`, and more. Exit status:\n"
    "  0   the map is complete\n"
    "  1   something could not be read, or the command line is wrong\n"
    "  2   damaged metadata left extents of kind \"invalid\"\n"
    "  63  not a qcow2 image\n";

struct MapOptions {
  ImageOptions image;
  MapFormat format = MapFormat::human;
  std::string snapshot;
  bool clusters = false;
};

// Writes large pieces; a map may have millions of extents.
class BufferedOutput {
 public:
  // False: what was written before did not arrive.
  bool write(std::string_view text) {
    static constexpr std::size_t kEnough = 1 << 16;
    buffer_ += text;
    return buffer_.size() < kEnough || flush();
  }
  bool flush() {
    const bool arrived = print_out(buffer_);
    buffer_.clear();
    return arrived;
  }

 private:
  std::string buffer_;
};

int unusable(const Report& report, const std::string& path) {
  const int status = exit_status_of(report, {});
  print_error(
      status == kExitNotQcow2
          ? fmt::format("{}: not a qcow2 image", path)
          : fmt::format("{}: the header is damaged, there is nothing to map; see cowvet check", path));
  return status == kExitNotQcow2 ? status : kExitIncomplete;
}

int print_map(const DiskChain& chain, const std::string& path, const MapOptions& options) {
  auto map = chain.map(options.snapshot);
  if (!map) {
    print_error(fmt::format("{}: {}", path, map.error()));
    return kExitIncomplete;
  }
  if (!chain.missing().empty()) print_error(fmt::format("{}: {}", path, chain.missing()));
  MapWriter writer(options.format);
  BufferedOutput out;
  const bool arrived = out.write(writer.begin()) &&
                       map->map([&](const MapExtent& extent) { return out.write(writer.extent(extent)); }) &&
                       out.write(writer.end()) && out.flush();
  if (!arrived || chain.incomplete() || map->any_unreadable()) return kExitIncomplete;
  return map->any_invalid() ? kExitCorrupt : kExitSound;
}

int print_clusters(const OpenedImage& opened, const std::string& path, const MapOptions& options) {
  Options analysis;
  analysis.guest_data = false;
  const Inputs inputs = opened.inputs();
  Progress progress;
  Context context(inputs, analysis, progress);
  run_passes(context);
  const Report report = finish_report(context);
  if (!context.tables) return unusable(report, path);
  ClusterMapWriter writer(options.format);
  BufferedOutput out;
  const bool arrived =
      out.write(writer.begin()) &&
      map_clusters(context, [&](const ClusterExtent& extent) { return out.write(writer.extent(extent)); }) &&
      out.write(writer.end()) && out.flush();
  return arrived ? exit_status_of(report, {}) : kExitIncomplete;
}

int map_image(const std::string& path, const MapOptions& options) {
  const auto opened = open_image(path, options.image);
  if (!opened) {
    print_error(opened.error().message);
    return kExitIncomplete;
  }
  enter_sandbox({path}, options.image);
  if (options.clusters) return print_clusters(*opened, path, options);
  const DiskChain chain(*opened->image, [&](const std::string& layer) {
    return make_opener({.image_path = layer, .follow_directories = options.image.follow});
  });
  return chain.usable() ? print_map(chain, path, options) : unusable(chain.context().report, path);
}

}  // namespace

int run_map(const Arguments& arguments) {
  MapOptions options;
  std::string output = "human";
  std::vector<std::string> images;

  po::options_description listed("Options");
  add_image_options(listed, options.image);
  listed.add_options()                                                                  //
      ("output", po::value(&output)->value_name("FORMAT"), "human (default), or json")  //
      ("snapshot", po::value(&options.snapshot)->value_name("ID"),
       "map the snapshot of this id, else of this name")  //
      ("clusters", po::bool_switch(&options.clusters),
       "instead, print what each cluster of the image file is for; the exit status is that of cowvet "
       "check")  //
      ("help,h", "show this help");
  po::options_description all;
  all.add(listed).add_options()("image", po::value(&images));

  const auto values = parse_arguments(arguments, all, "image");
  if (!values) return usage_error(values.error(), "map");
  if (values->contains("help")) return print_help("map", kHelp, listed);
  if (output != "human" && output != "json")
    return usage_error(fmt::format("--output takes human or json, not '{}'", output), "map");
  if (options.clusters && !options.snapshot.empty())
    return usage_error("--clusters is about the whole image file, --snapshot about one disk", "map");
  if (images.size() != 1) return usage_error("one image is needed", "map");
  if (const std::string wrong = check_image_options(options.image, images.size()); !wrong.empty())
    return usage_error(wrong, "map");
  if (output == "json") options.format = MapFormat::json;
  return map_image(images.front(), options);
}

}  // namespace cowvet
