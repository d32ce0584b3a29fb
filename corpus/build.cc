#include "corpus/build.h"

#include <algorithm>

#include "corpus/draft.h"
#include "corpus/patterns.h"

namespace cowvet::corpus {
namespace {

constexpr std::uint64_t kMostFileBytes = std::uint64_t{1} << 30;

struct Stepper {
  Draft& draft;

  // The last cluster of the disk counts whole.
  bool is_on_disk(GuestRange range) const {
    const bool inside = fits_in(range.offset, range.length, draft.layout.shape.round_up(draft.disk_bytes));
    if (!inside) draft.fail("the range reaches behind the end of the virtual disk");
    return inside;
  }

  void operator()(const WriteData& step) {
    if (step.past_end || is_on_disk(step.range)) write_data(draft, step.range, step.pattern);
  }
  void operator()(const WriteZeros& step) {
    if (is_on_disk(step.range)) write_zeros(draft, step);
  }
  void operator()(const WriteCompressed& step) {
    if (is_on_disk(step.range)) write_compressed(draft, step);
  }
  void operator()(const Discard& step) {
    if (is_on_disk(step.range)) discard(draft, step.range);
  }
  void operator()(const TakeSnapshot& step) { take_snapshot(draft, step); }
  void operator()(const DeleteSnapshot& step) { delete_snapshot(draft, step.id); }
  void operator()(const RevertToSnapshot& step) { revert_to_snapshot(draft, step.id); }
  void operator()(const Resize& step) { resize_disk(draft, step.size_bytes); }
  void operator()(const AddBitmap& step) { draft.bitmaps.push_back(step); }
  void operator()(const AddTrailing& step) { draft.trailing.push_back(step); }
  void operator()(const SkipClusters& step) { draft.layout.clusters.skip(step.count); }
  void operator()(const LeakClusters& step) {
    const std::uint64_t cluster = draft.layout.shape.cluster_bytes;
    const std::uint64_t offset = draft.layout.clusters.allocate(step.count, "leak");
    if (draft.layout.clusters.too_large()) return;
    std::vector<std::byte> content(step.count * cluster);
    fill_pattern(step.pattern, offset, content);
    put_bytes(draft.image, offset, content);
    for (std::uint64_t i = 0; i < step.count; ++i) draft.layout.leaks.push_back(offset + i * cluster);
  }
};

void run_steps(Draft& draft) {
  for (const Step& step : draft.recipe.steps) {
    draft.where = step.where;
    draft.verb = step.verb;
    std::visit(Stepper{draft}, step.action);
    if (draft.layout.clusters.too_large()) draft.fail("the image becomes larger than 1 GiB");
    if (draft.error.any()) return;
  }
}

void finish_files(Draft& draft) {
  if (!draft.recipe.image.ends_as_written) draft.image.resize(draft.layout.clusters.end_bytes());
  for (const AddTrailing& step : draft.trailing) {
    std::vector<std::byte> bytes(std::min(step.size_bytes, kMostFileBytes));
    fill_pattern(step.pattern, draft.image.size(), bytes);
    put_bytes(draft.image, draft.image.size(), bytes);
  }
  if (!draft.has_data_file()) return;
  const std::uint64_t size = draft.recipe.data_file->size_bytes.value_or(draft.disk_bytes);
  if (size > kMostFileBytes) return draft.fail("the data file becomes larger than 1 GiB: give it a size");
  draft.data_file.resize(size);
}

// The stages, each relying on those before it.
void build_draft(Draft& draft) {
  // The header, refcount table and first refcount block have their places.
  place_l1(draft);
  write_luks(draft);
  run_steps(draft);
  if (draft.error.any()) return;
  write_snapshot_table(draft);
  write_bitmaps(draft);
  if (draft.layout.clusters.too_large()) draft.fail("the image becomes larger than 1 GiB");
  if (draft.error.any() || draft.layout.clusters.refcount_table_full()) return;
  // Every cluster has its place and its references.
  write_tables(draft);
  write_header(draft);
  finish_files(draft);
  // The image is sound.
  if (!draft.error.any()) apply_damage(draft);
}

BuiltImage finish(Draft& draft) {
  BuiltImage built{.image = std::move(draft.image),
                   .unreadable = std::move(draft.unreadable),
                   .layout = std::move(draft.layout),
                   .disk = std::move(draft.disk),
                   .snapshot_disks = std::move(draft.snapshot_disks)};
  if (draft.has_data_file()) built.data_file = std::move(draft.data_file);
  if (draft.recipe.backing && draft.recipe.backing->size_bytes) {
    built.backing_file.emplace(std::min(*draft.recipe.backing->size_bytes, kMostFileBytes));
    fill_pattern(draft.recipe.backing->pattern, 0, *built.backing_file);
  }
  return built;
}

}  // namespace

// How many refcount blocks there will be is known only in the end; where a recipe leaves the size of the
// refcount table open, tables are tried from one cluster on.
std::expected<BuiltImage, RecipeError> build(const Recipe& recipe) {
  const std::uint64_t first = std::max(1u, recipe.image.refcount_table_clusters.value_or(1));
  for (std::uint64_t table_clusters = first;; table_clusters *= 2) {
    Draft draft(recipe, table_clusters);
    draft.where = recipe.where;
    draft.verb = recipe.name;
    build_draft(draft);
    if (draft.error.any()) return std::unexpected(*draft.error.get());
    if (!draft.layout.clusters.refcount_table_full()) return finish(draft);
    if (recipe.image.refcount_table_clusters)
      return std::unexpected(RecipeError{recipe.where, recipe.name, "the refcount table is too small"});
  }
}

}  // namespace cowvet::corpus
