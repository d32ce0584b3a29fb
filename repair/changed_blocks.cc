#include "repair/changed_blocks.h"

#include <algorithm>
#include <utility>

#include "checker/format/units.h"
#include "repair/corrupt_mark.h"

namespace cowvet {
namespace {

// Blocks [begin, end), in bytes.
struct Stretch {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Phase phase = Phase::structures;
};

// What the plan writes to in one file: disjoint, by offset.
std::vector<Stretch> written_stretches(const Plan& plan, File target, std::uint64_t size_after) {
  std::vector<std::pair<std::uint64_t, int>> edges[2];  // of each phase: an offset, and 1 or -1
  const auto add = [&](Phase phase, std::uint64_t begin, std::uint64_t end) {
    begin = begin / kBlockBytes * kBlockBytes;
    end = std::min(divide_up(end, kBlockBytes) * kBlockBytes, size_after);
    if (begin >= end) return;
    edges[static_cast<int>(phase)].insert(edges[static_cast<int>(phase)].end(), {{begin, 1}, {end, -1}});
  };
  for (const Step& step : plan.steps)
    for (const Write& write : step.writes)
      if (write.target == target && !write.new_bytes.empty())
        add(step.phase, write.offset, write.offset + write.new_bytes.size());
  if (target == File::image) add(Phase::structures, 0, kBlockBytes);  // the header's

  std::vector<Stretch> stretches;
  auto& [structures, pointers] = edges;
  std::ranges::sort(structures);
  std::ranges::sort(pointers);
  std::int64_t open[2] = {};
  std::uint64_t at = 0;
  for (auto next_structure = structures.begin(), next_pointer = pointers.begin();
       next_structure != structures.end() || next_pointer != pointers.end();) {
    const bool is_pointer = next_structure == structures.end() ||
                            (next_pointer != pointers.end() && next_pointer->first < next_structure->first);
    const auto [edge, step] = is_pointer ? *next_pointer++ : *next_structure++;
    if (edge > at && (open[0] != 0 || open[1] != 0)) {
      const Phase phase = open[1] != 0 ? Phase::pointers : Phase::structures;
      if (!stretches.empty() && stretches.back().end == at && stretches.back().phase == phase)
        stretches.back().end = edge;
      else
        stretches.push_back({at, edge, phase});
    }
    open[is_pointer ? 1 : 0] += step;
    at = edge;
  }
  return stretches;
}

class Finder {
 public:
  Finder(const Plan& plan, const PlannedFiles& planned) : plan_(plan), planned_(planned) {}

  std::expected<std::vector<Change>, std::string> run() {
    if (auto done = find(File::image, plan_.image_bytes_after); !done) return std::unexpected(done.error());
    if (plan_.data_file)
      if (auto done = find(File::data_file, plan_.data_file_bytes_after); !done)
        return std::unexpected(done.error());
    return std::move(changes_);
  }

 private:
  using Done = std::expected<void, std::string>;

  Done find(File target, std::uint64_t size_after) {
    for (const Stretch& stretch : written_stretches(plan_, target, size_after))
      for (std::uint64_t at = stretch.begin; at < stretch.end; at += kMostChangeBytes)
        if (auto done = compare(target, stretch.phase, at, std::min(kMostChangeBytes, stretch.end - at));
            !done)
          return done;
    return {};
  }

  Done compare(File target, Phase phase, std::uint64_t offset, std::uint64_t length) {
    const OverlayDevice& device = planned_.of(target);
    old_bytes_.resize(length);
    new_bytes_.resize(length);
    auto read = device.below().read(offset, old_bytes_);
    if (read) read = device.read(offset, new_bytes_);
    if (!read) return std::unexpected(describe_io_error("read", device.name(), read.error()));
    const bool has_header = target == File::image && offset == 0;
    const bool keep_first = has_header && (can_be_marked(old_bytes_) || can_be_marked(new_bytes_));
    for (std::uint64_t at = 0; at < length; at += kBlockBytes) {
      const std::uint64_t block = std::min(kBlockBytes, length - at);
      const bool is_same = std::equal(old_bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                                      old_bytes_.begin() + static_cast<std::ptrdiff_t>(at + block),
                                      new_bytes_.begin() + static_cast<std::ptrdiff_t>(at));
      if (!is_same || (keep_first && at == 0)) add({target, phase, offset + at, block});
    }
    return {};
  }

  void add(const Change& change) {
    Change* last = changes_.empty() ? nullptr : &changes_.back();
    if (last && last->target == change.target && last->phase == change.phase &&
        last->offset + last->length == change.offset && last->length + change.length <= kMostChangeBytes)
      last->length += change.length;
    else
      changes_.push_back(change);
  }

  const Plan& plan_;
  const PlannedFiles& planned_;
  std::vector<std::byte> old_bytes_;
  std::vector<std::byte> new_bytes_;
  std::vector<Change> changes_;
};

}  // namespace

std::expected<std::vector<Change>, std::string> find_changed_blocks(const Plan& plan,
                                                                    const PlannedFiles& planned) {
  return Finder(plan, planned).run();
}

}  // namespace cowvet
