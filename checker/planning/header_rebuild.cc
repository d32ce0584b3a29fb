#include "checker/planning/header_rebuild.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "checker/planning/header_refinement.h"
#include "checker/planning/l1_room.h"
#include "checker/planning/table_scan.h"

namespace cowvet {
namespace {

// Each costs an examination of the image.
constexpr std::size_t kMostDrafts = 96;
constexpr unsigned kLeastExtendedBits = 14;

struct ScoredDraft {
  HeaderDraft draft;
  Score score;
};

class HeaderRebuild {
 public:
  HeaderRebuild(const Context& before, const PlanOptions& options, const std::string& outcome)
      : before_(before), image_(before.inputs.image), options_(options), outcome_(outcome) {}

  std::expected<std::optional<HeaderChange>, std::string> run() {
    if (!read_wishes()) return std::unexpected("--choose header/magic takes rebuild or rebuild:SIZE");
    if (!options_.donor.empty() && !donor_) return std::unexpected("the donor is not a qcow2 image");
    open_data_file();
    const auto tables =
        scan_refcount_tables(image_, known(&Header::cluster_bits), known(&Header::refcount_order));
    if (tables.empty())
      return std::unexpected(
          "no refcount table is in the file that could tell where the clusters of a qcow2 image begin");
    for (const ScannedRefcounts& table : tables)
      for (const bool extended : {false, true})
        if (may_be_extended(table, extended)) add_drafts(table, extended);
    if (drafts_.empty()) return std::unexpected("no L1 table is in the file");
    try_all();
    if (drafts_.empty()) return std::unexpected("what a header has to say does not fit into one cluster");
    if (drafts_.size() > 1 && drafts_[0].score == drafts_[1].score)
      return std::unexpected("several headers would fit equally well; a donor image may tell them apart");
    ScoredDraft& best = drafts_.front();
    Options check = before_.options;
    check.deep = any_compressed_;
    refine_header(best.draft, best.score, before_.inputs, check, options_);
    return HeaderChange{rule("header/magic"), Remedy::choice, as_candidate(best)};
  }

 private:
  bool read_wishes() {
    if (!options_.donor.empty()) {
      const auto header = decode_header(options_.donor);
      if (header) donor_ = *header;
    }
    if (!outcome_.starts_with(std::string(kRebuild) + ":")) return outcome_.empty() || outcome_ == kRebuild;
    const char* begin = outcome_.data() + kRebuild.size() + 1;
    const char* end = outcome_.data() + outcome_.size();
    std::uint64_t bytes = 0;
    const auto parsed = std::from_chars(begin, end, bytes);
    size_ = bytes;
    return parsed.ec == std::errc() && parsed.ptr == end && bytes != 0;
  }

  // An image has one where the user names it, or the donor has one.
  void open_data_file() {
    has_data_file_ = !options_.data_file_name.empty() || (donor_ && donor_->has_data_file());
    if (!has_data_file_ || !before_.inputs.open_data_file) return;
    const Companion file = before_.inputs.open_data_file(options_.data_file_name);
    if (file.device) data_file_bytes_ = file.device->size_bytes();
  }

  std::optional<unsigned> known(std::uint32_t Header::* field) const {
    return donor_ ? std::optional<unsigned>((*donor_).*field) : std::nullopt;
  }

  bool may_be_extended(const ScannedRefcounts& table, bool extended) const {
    if (extended && table.cluster_bits < kLeastExtendedBits) return false;
    return !donor_ || donor_->has_extended_l2() == extended;
  }

  void add_drafts(const ScannedRefcounts& refcounts, bool extended) {
    const ScannedTables tables =
        scan_tables(image_, refcounts, {.extended = extended, .data_file = has_data_file_});
    any_compressed_ = any_compressed_ || tables.any_compressed;
    for (const ScannedL1& l1 : tables.l1) {
      add_draft(refcounts, extended, l1, nullptr, tables.any_compressed);
      for (const ScannedSnapshots& snapshots : tables.snapshots)
        add_draft(refcounts, extended, l1, &snapshots, tables.any_compressed);
    }
  }

  void add_draft(const ScannedRefcounts& refcounts, bool extended, const ScannedL1& l1,
                 const ScannedSnapshots* snapshots, bool any_compressed) {
    if (drafts_.size() >= kMostDrafts) return;
    HeaderDraft draft{.header = donor_.value_or(Header{}),
                      .data_file_name = options_.data_file_name,
                      .donor = options_.donor};
    Header& header = draft.header;
    header.cluster_bits = refcounts.cluster_bits;
    header.refcount_order = refcounts.refcount_order;
    header.refcount_table_offset = refcounts.offset;
    header.refcount_table_clusters = static_cast<std::uint32_t>(refcounts.clusters());
    header.l1_table_offset = l1.offset;
    header.nb_snapshots = snapshots ? static_cast<std::uint32_t>(snapshots->snapshots.size()) : 0;
    header.snapshots_offset = snapshots ? snapshots->offset : 0;
    header.incompatible_features &= ~(kIncompatibleDirty | kIncompatibleCorrupt);
    // What it promises is for the user to promise again.
    header.autoclear_features &= ~kAutoclearRawData;
    if (extended) header.incompatible_features |= kIncompatibleExtendedL2;
    if (has_data_file_) header.incompatible_features |= kIncompatibleDataFile;
    if (donor_ && header.crypt_method == static_cast<std::uint32_t>(CryptMethod::luks))
      draft.luks = donors_keys();
    if (!set_size(draft, l1, snapshots)) return;
    // Another reading may come to the same.
    const auto is_same = [&](const ScoredDraft& scored) { return scored.draft.header == header; };
    if (std::ranges::any_of(drafts_, is_same)) return;
    drafts_.push_back({draft, {}});
    if (!any_compressed || donor_) return;
    header.incompatible_features |= kIncompatibleCompression;
    header.compression_type = static_cast<std::uint8_t>(CompressionType::zstd);
    header.header_length = kHeaderKnownBytes;
    drafts_.push_back({draft, {}});
  }

  // Images that are made in the same way have them in the same place.
  std::optional<LuksPointer> donors_keys() const {
    const ExtensionWalk walk = walk_extensions(options_.donor, donor_->header_length, options_.donor.size());
    const auto found = std::ranges::find(walk.extensions, ExtensionType::luks, &Extension::type);
    return found == walk.extensions.end() ? std::nullopt : decode_luks_pointer(found->data);
  }

  // What the user says; else the donor, the newest snapshot, the data file's length; else as much as the L1
  // table maps.
  bool set_size(HeaderDraft& draft, const ScannedL1& l1, const ScannedSnapshots* snapshots) const {
    Header& header = draft.header;
    const std::uint64_t bytes = std::uint64_t{1} << header.cluster_bits;
    const std::uint64_t window = draft.l2_window_bytes();
    const std::uint64_t most = std::min(l1.room * bytes / 8, kMostL1Entries);
    const std::uint64_t least = std::max(l1.used_entries, (l1.clusters - 1) * bytes / 8 + 1);
    const auto fits = [&](std::uint64_t size) {
      const std::uint64_t entries = divide_up(size, window);
      return size != 0 && entries <= most && entries >= l1.used_entries;
    };
    const std::pair<std::uint64_t, std::string_view> sources[] = {
        {size_.value_or(0), "as given"},
        {donor_ ? donor_->size : 0, "the donor's"},
        {snapshots ? snapshots->snapshots.back().disk_size(0) : 0, "that of the newest snapshot"},
        {data_file_bytes_, "the data file's length"}};
    const auto known = std::ranges::find_if(sources, [&](const auto& source) { return fits(source.first); });
    if (size_ && known != std::begin(sources)) return false;
    draft.size_is_deduced = known == std::end(sources);
    header.size = draft.size_is_deduced ? least * window : known->first;
    draft.size_source = draft.size_is_deduced ? "what the L1 table can map" : known->second;
    header.l1_size = static_cast<std::uint32_t>(std::max(least, divide_up(header.size, window)));
    return header.l1_size <= most;
  }

  // Best first. Where everything fits together, no other place of the L1 table needs to be tried.
  void try_all() {
    std::ranges::stable_sort(drafts_, std::greater(),
                             [](const ScoredDraft& scored) { return scored.draft.header.nb_snapshots; });
    const Header* perfect = nullptr;
    std::vector<ScoredDraft> tried;
    tried.reserve(drafts_.size());
    for (ScoredDraft& scored : drafts_) {
      const auto patches = scored.draft.patches(image_.size_bytes());
      if (!patches || (perfect && scored.draft.header.l1_table_offset != perfect->l1_table_offset)) continue;
      scored.score = try_out(before_.inputs, before_.options, *patches, any_compressed_);
      tried.push_back(std::move(scored));
      if (!perfect && tried.back().score.is_perfect()) perfect = &tried.back().draft.header;
    }
    drafts_ = std::move(tried);
    std::ranges::stable_sort(drafts_, {}, &ScoredDraft::score);
  }

  Candidate as_candidate(const ScoredDraft& best) const {
    const Header& header = best.draft.header;
    std::vector<std::string> remarks = best.draft.remarks;
    remarks.emplace_back(donor_ ? "names and features are the donor's"
                                : "the name of a backing file, if there was one, is lost");
    return {
        .outcome = outcome_.empty() ? "donor" : outcome_,
        .why = fmt::format("write a header for the L1 table at {:#x} and the refcount table at {:#x}, with "
                           "{} snapshot{}; the disk's size of {} bytes is {}; {}",
                           header.l1_table_offset, header.refcount_table_offset, header.nb_snapshots,
                           header.nb_snapshots == 1 ? "" : "s", header.size, best.draft.size_source,
                           fmt::join(remarks, "; ")),
        .patches = best.draft.patches(image_.size_bytes()).value_or(std::vector<Patch>()),
        .score = best.score};
  }

  const Context& before_;
  const Device& image_;
  const PlanOptions& options_;
  const std::string& outcome_;
  std::optional<Header> donor_;
  std::optional<std::uint64_t> size_;
  bool has_data_file_ = false;
  std::uint64_t data_file_bytes_ = 0;  // where it can be opened
  bool any_compressed_ = false;
  std::vector<ScoredDraft> drafts_;
};

}  // namespace

std::expected<std::optional<HeaderChange>, std::string> rebuild_header(const Context& before,
                                                                       const PlanOptions& options,
                                                                       const std::string& outcome) {
  return HeaderRebuild(before, options, outcome).run();
}

}  // namespace cowvet
