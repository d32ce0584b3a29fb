#include "checker/planning/header_refinement.h"

#include <fmt/format.h>

#include <algorithm>

#include "checker/analysis/passes.h"
#include "checker/format/luks.h"
#include "checker/planning/bitmap_directory.h"
#include "checker/planning/l1_room.h"
#include "checker/planning/lost_tables.h"
#include "checker/planning/scan_file.h"

namespace cowvet {
namespace {

// Each costs an examination of the image.
constexpr std::size_t kMostVariants = 16;
constexpr std::uint32_t kMostBitmaps = 65535;

class HeaderRefinement {
 public:
  HeaderRefinement(HeaderDraft& draft, Score& score, const Inputs& inputs, const Options& options,
                   const PlanOptions& planning)
      : draft_(draft), score_(score), inputs_(inputs), options_(options), planning_(planning) {
    options_.findings_per_rule = 0;
    options_.guest_data = false;
  }

  void run() {
    const auto patches = draft_.patches(inputs_.image.size_bytes());
    if (!patches || score_.is_perfect()) return;
    const PatchedImage seen(inputs_, *patches);
    Progress unseen;
    Context context(seen.inputs, options_, unseen);
    context.keep_references = true;
    run_passes(context);
    if (!context.report.header_usable || !context.references) return;
    context.report = finish_report(context);
    Editor editor(seen.image, nullptr, planning_.most_held_bytes);
    RoundNotes notes;
    Round round(context, context, editor, planning_, notes);
    round.findings = context.report.findings;
    unowned_ = unowned_clusters(round);
    lengthen_tables();
    find_keys(round);
    find_bitmaps(round);
  }

 private:
  using Variants = std::vector<HeaderDraft>;

  std::uint64_t cluster_bytes() const { return std::uint64_t{1} << draft_.header.cluster_bits; }

  bool is_unowned(std::uint64_t offset) const { return std::ranges::binary_search(unowned_, offset); }

  // Where the clusters that nothing names end that begin at `offset`.
  std::uint64_t end_of_unowned(std::uint64_t offset) const {
    while (is_unowned(offset)) offset += cluster_bytes();
    return offset;
  }

  // How many clusters from `offset` on are named by nothing, and hold nothing but zeros.
  std::uint64_t count_empty(std::uint64_t offset, std::uint64_t most) const {
    std::uint64_t count = 0;
    for (; count < most && is_unowned(offset); ++count, offset += cluster_bytes()) {
      const std::vector<std::byte> content = read_padded(inputs_.image, offset, cluster_bytes());
      if (content.empty() || std::ranges::any_of(content, [](std::byte b) { return b != std::byte{0}; }))
        break;
    }
    return count;
  }

  // Takes the only one that is better. False: none is, or several are.
  bool take_better(Variants variants) {
    if (variants.size() > kMostVariants) return false;
    HeaderDraft* best = nullptr;
    Score best_score;
    for (HeaderDraft& variant : variants) {
      const auto patches = variant.patches(inputs_.image.size_bytes());
      if (!patches) continue;
      const Score score = try_out(inputs_, options_, *patches, options_.deep);
      if (score >= score_) continue;
      if (best) return false;
      best = &variant;
      best_score = score;
    }
    if (!best) return false;
    draft_ = std::move(*best);
    score_ = best_score;
    return true;
  }

  void lengthen_tables() {
    HeaderDraft longer = draft_;
    Header& header = longer.header;
    const std::uint64_t l1_clusters = divide_up(header.l1_size * std::uint64_t{8}, cluster_bytes());
    const std::uint64_t more_l1 =
        count_empty(header.l1_table_offset + l1_clusters * cluster_bytes(),
                    kMostL1Entries * 8 / cluster_bytes() - std::min(l1_clusters, kMostL1Entries * 8));
    if (more_l1 != 0) longer.lengthen_l1(l1_clusters + more_l1);
    header.refcount_table_clusters += static_cast<std::uint32_t>(count_empty(
        header.refcount_table_offset + header.refcount_table_clusters * cluster_bytes(), kMostVariants));
    if (!(longer.header == draft_.header)) take_better({std::move(longer)});
  }

  // Its length is what its payload would begin behind, if it were no image.
  void find_keys(const Round& round) {
    Variants variants;
    for (const std::uint64_t offset : lost_luks_headers(round)) {
      const auto header = decode_luks_header(read_padded(inputs_.image, offset, sizeof(RawLuksHeader)));
      if (!header || header->version != 1) continue;
      HeaderDraft variant = draft_;
      variant.luks = {.offset = offset, .length = header->payload_sector * std::uint64_t{kLuksSectorBytes}};
      variant.remarks.push_back(
          fmt::format("the guest's data is encrypted, its LUKS header at {:#x}", offset));
      variants.push_back(std::move(variant));
    }
    const bool any = !variants.empty();
    if (!take_better(std::move(variants)) && any && !draft_.luks)
      draft_.remarks.emplace_back("what looks like a LUKS header does not fit");
  }

  void find_bitmaps(const Round& round) {
    if (draft_.header.version < 3) return;
    Variants variants;
    std::uint64_t passed = 0;
    std::uint64_t end = 0;  // of the run of clusters at hand
    for (const std::uint64_t offset : unowned_) {
      if (offset < passed || variants.size() > kMostVariants) continue;
      if (offset >= end) end = end_of_unowned(offset);
      const DirectoryExtent extent = measure_directory(round, offset, end, kMostBitmaps);
      if (extent.count == 0) continue;
      passed = offset + extent.length;
      variants.push_back(with_bitmaps(extent));
    }
    const bool any = !variants.empty();
    if (!take_better(std::move(variants)) && any)
      draft_.remarks.emplace_back("what looks like a bitmap directory is in doubt, and not taken");
  }

  HeaderDraft with_bitmaps(const DirectoryExtent& extent) const {
    HeaderDraft variant = draft_;
    variant.bitmaps = {
        .nb_bitmaps = extent.count, .directory_size = extent.length, .directory_offset = extent.offset};
    for (std::uint64_t at = extent.offset; at < extent.offset + extent.length;) {
      const auto decoded =
          decode_bitmap(read_padded(inputs_.image, at, std::min<std::uint64_t>(extent.length, 4096)));
      if (!decoded) break;
      variant.bitmap_flags.push_back(
          Patch::number(at + offsetof(RawBitmapHead, flags), decoded->bitmap.flags | Bitmap::kInUse));
      at += decoded->entry_bytes;
    }
    variant.remarks.push_back(
        extent.count == 1
            ? std::string("1 bitmap is marked as not saved correctly: nobody knows whether it was")
            : fmt::format("{} bitmaps are marked as not saved correctly: nobody knows whether they were",
                          extent.count));
    return variant;
  }

  HeaderDraft& draft_;
  Score& score_;
  const Inputs& inputs_;
  Options options_;
  const PlanOptions& planning_;
  std::vector<std::uint64_t> unowned_;  // offsets of clusters, in order
};

}  // namespace

void refine_header(HeaderDraft& draft, Score& score, const Inputs& inputs, const Options& options,
                   const PlanOptions& planning) {
  HeaderRefinement(draft, score, inputs, options, planning).run();
}

}  // namespace cowvet
