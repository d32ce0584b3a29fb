#include "checker/analysis/disk_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "checker/analysis/passes.h"

namespace cowvet {
namespace {

constexpr std::size_t kMaxLayers = 1000;  // each is open at the same time

bool has_magic(const Device& device) {
  std::array<std::byte, 4> bytes{};
  return device.read(0, bytes) && load_big_endian<std::uint32_t>(bytes.data()) == kMagic;
}

}  // namespace

// A qcow2 layer has a context, a raw one has not.
struct DiskChain::Layer {
  explicit Layer(const Device& image) : device(&image), inputs{.image = image} {}
  Layer(std::unique_ptr<Device> image, std::string at)
      : owned(std::move(image)), device(owned.get()), path(std::move(at)), inputs{.image = *device} {}

  void load() {
    context = std::make_unique<Context>(inputs, options, progress);
    usable = load_header(*context);
    if (!usable) return;
    load_extensions(*context);
    load_snapshots(*context);
  }

  // Where its guest data lies, for people.
  const std::string& data_name() const {
    const bool elsewhere = context && context->header.has_data_file();
    return elsewhere ? context->report.data_file_name : path;
  }

  std::unique_ptr<Device> owned;
  const Device* device;
  std::string path = device->name();
  Inputs inputs;
  Options options;
  Progress progress;
  std::unique_ptr<Context> context;
  bool usable = false;
};

DiskChain::DiskChain(const Device& image, const OpenBackingOf& open_backing_of) {
  layers_.push_back(std::make_unique<Layer>(image));
  layers_.front()->load();
  if (usable()) follow(open_backing_of);
}

DiskChain::~DiskChain() = default;

const Context& DiskChain::context() const {
  return *layers_.front()->context;
}

bool DiskChain::usable() const {
  return layers_.front()->usable;
}

void DiskChain::stop(std::string why, bool failed) {
  missing_ = std::move(why);
  incomplete_ = failed;
}

bool DiskChain::seen(const Device& device) const {
  const auto identity = device.identity();
  return identity && std::ranges::any_of(
                         layers_, [&](const auto& layer) { return layer->device->identity() == identity; });
}

void DiskChain::follow(const OpenBackingOf& open_backing_of) {
  for (;;) {
    const Context& above = *layers_.back()->context;
    if (above.header.backing_file_offset == 0) return;
    const std::string& name = above.report.backing_name;
    const OpenCompanion open = open_backing_of ? open_backing_of(layers_.back()->path) : nullptr;
    if (name.empty()) return stop("the name of the backing file cannot be read", true);
    if (!open) return stop(fmt::format("the backing file {} was not followed", name), false);
    if (layers_.size() == kMaxLayers) return stop("there are too many backing files", true);
    Companion found = open(name);
    if (found.state != Companion::State::open)
      return stop(fmt::format("the backing file {} was not opened: {}", name, found.why),
                  found.state == Companion::State::missing);
    if (seen(*found.device)) return stop(fmt::format("the backing file {} is an image above it", name), true);
    const std::string format = above.report.backing_format;
    const bool qcow2 = format.empty() ? has_magic(*found.device) : format == "qcow2";
    if (!qcow2 && !format.empty() && format != "raw")
      return stop(fmt::format("the backing file {} has the format {}", name, format), true);
    auto layer = std::make_unique<Layer>(std::move(found.device), found.path);
    if (qcow2) layer->load();
    if (qcow2 && !layer->usable)
      return stop(fmt::format("the backing file {} is not a usable image", name), true);
    layers_.push_back(std::move(layer));
    if (!qcow2) return;
  }
}

std::expected<DiskMap, std::string> DiskChain::map(const std::string& snapshot) const {
  const Context& top = context();
  DiskState disk = active_disk(top);
  if (!snapshot.empty()) {
    auto record = std::ranges::find(top.snapshots, snapshot, [](const auto& r) { return r.snapshot.id; });
    if (record == top.snapshots.end())
      record = std::ranges::find(top.snapshots, snapshot, [](const auto& r) { return r.snapshot.name; });
    if (record == top.snapshots.end())
      return std::unexpected(fmt::format("there is no snapshot {}", snapshot));
    disk = snapshot_disk(top, *record);
  }
  DiskMap map;
  for (const auto& layer : layers_) {
    if (!layer->context) {
      map.add_raw(*layer->device, layer->path);
    } else {
      map.add_qcow2(*layer->context, layer == layers_.front() ? disk : active_disk(*layer->context),
                    layer->data_name());
    }
  }
  if (!missing_.empty()) map.set_backing_unknown();
  return map;
}

}  // namespace cowvet
