#include "checker/planning/header_rebuild.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "checker/format/extensions.h"
#include "checker/format/header.h"
#include "checker/planning/l1_room.h"
#include "checker/planning/table_scan.h"

namespace cowvet {
namespace {

// Each costs an examination of the image.
constexpr std::size_t kMostCandidates = 96;

class HeaderRebuild {
 public:
  HeaderRebuild(const Context& before, const PlanOptions& options, const std::string& outcome)
      : before_(before), image_(before.inputs.image), options_(options), outcome_(outcome) {}

  std::expected<std::optional<HeaderChange>, std::string> run() {
    if (!read_wishes()) return std::unexpected("--choose header/magic takes rebuild or rebuild:SIZE");
    if (!options_.donor.empty() && !donor_) return std::unexpected("the donor is not a qcow2 image");
    const auto tables =
        scan_refcount_tables(image_, known(&Header::cluster_bits), known(&Header::refcount_order));
    if (tables.empty())
      return std::unexpected(
          "no refcount table is in the file that could tell where the clusters of a qcow2 image begin");
    for (const ScannedRefcounts& table : tables)
      for (const bool extended : {false, true})
        if (!donor_ || donor_->has_extended_l2() == extended) add_candidates(table, extended);
    if (candidates_.empty()) return std::unexpected("no L1 table is in the file");
    for (Candidate& candidate : candidates_)
      candidate.score = try_out(before_.inputs, before_.options, candidate.patches, any_compressed_);
    std::ranges::stable_sort(candidates_, {}, &Candidate::score);
    if (candidates_.size() > 1 && candidates_[0].score == candidates_[1].score)
      return std::unexpected("several headers would fit equally well; a donor image may tell them apart");
    return HeaderChange{rule("header/magic"), Remedy::choice, candidates_.front()};
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

  std::optional<unsigned> known(std::uint32_t Header::* field) const {
    return donor_ ? std::optional<unsigned>((*donor_).*field) : std::nullopt;
  }

  void add_candidates(const ScannedRefcounts& refcounts, bool extended) {
    const ScannedTables tables = scan_tables(image_, refcounts, extended, donor_ && donor_->has_data_file());
    any_compressed_ = any_compressed_ || tables.any_compressed;
    for (const ScannedL1& l1 : tables.l1) {
      add_candidate(refcounts, extended, l1, nullptr, tables.any_compressed);
      for (const ScannedSnapshots& snapshots : tables.snapshots)
        add_candidate(refcounts, extended, l1, &snapshots, tables.any_compressed);
    }
  }

  void add_candidate(const ScannedRefcounts& refcounts, bool extended, const ScannedL1& l1,
                     const ScannedSnapshots* snapshots, bool any_compressed) {
    Header header = donor_.value_or(Header{});
    header.cluster_bits = refcounts.cluster_bits;
    header.refcount_order = refcounts.refcount_order;
    header.refcount_table_offset = refcounts.offset;
    header.refcount_table_clusters = 1;
    header.l1_table_offset = l1.offset;
    header.nb_snapshots = snapshots ? static_cast<std::uint32_t>(snapshots->snapshots.size()) : 0;
    header.snapshots_offset = snapshots ? snapshots->offset : 0;
    header.incompatible_features &= ~(kIncompatibleDirty | kIncompatibleCorrupt);
    header.autoclear_features &= ~kAutoclearBitmaps;
    if (extended) header.incompatible_features |= kIncompatibleExtendedL2;
    if (!set_size(header, l1, snapshots)) return;
    add(header);
    if (!any_compressed || donor_) return;
    header.incompatible_features |= kIncompatibleCompression;
    header.compression_type = static_cast<std::uint8_t>(CompressionType::zstd);
    header.header_length = kHeaderKnownBytes;
    add(header);
  }

  // What the user says; else the donor, the newest snapshot; else as much as the L1 table maps.
  bool set_size(Header& header, const ScannedL1& l1, const ScannedSnapshots* snapshots) const {
    const std::uint64_t bytes = std::uint64_t{1} << header.cluster_bits;
    const std::uint64_t window = bytes / (header.has_extended_l2() ? 16 : 8) * bytes;
    const std::uint64_t most = std::min(l1.clusters * bytes / 8, kMostL1Entries);
    const std::uint64_t least = std::max(l1.used_entries, (l1.clusters - 1) * bytes / 8 + 1);
    const std::uint64_t of_snapshot = snapshots ? snapshots->snapshots.back().disk_size(0) : 0;
    const auto fits = [&](std::uint64_t size) {
      const std::uint64_t entries = divide_up(size, window);
      return size != 0 && entries <= most && entries >= l1.used_entries;
    };
    if (size_) {
      header.size = *size_;
      if (!fits(header.size)) return false;
    } else if (!donor_ || !fits(header.size)) {
      header.size = fits(of_snapshot) ? of_snapshot : least * window;
    }
    header.l1_size = static_cast<std::uint32_t>(std::max(least, divide_up(header.size, window)));
    return header.l1_size <= most;
  }

  void add(const Header& header) {
    if (candidates_.size() == kMostCandidates) return;
    const std::string kept = donor_ ? "names and features are the donor's"
                                    : "the names of backing and data file, bitmaps and keys are lost";
    candidates_.push_back(
        {.outcome = outcome_.empty() ? "donor" : outcome_,
         .why = fmt::format("write a header for the L1 table at {:#x} and the refcount table at "
                            "{:#x}, with {} snapshots; the disk's size of {} bytes is {}; {}",
                            header.l1_table_offset, header.refcount_table_offset, header.nb_snapshots,
                            header.size, size_source(header), kept),
         .patches = {{0, first_cluster(header)}}});
  }

  std::string_view size_source(const Header& header) const {
    if (size_) return "as given";
    return donor_ && donor_->size == header.size ? "the donor's" : "deduced";
  }

  std::vector<std::byte> first_cluster(const Header& header) const {
    std::vector<std::byte> cluster;
    if (donor_) cluster = options_.donor;
    cluster.resize(std::uint64_t{1} << header.cluster_bits);
    cluster.resize(std::min<std::uint64_t>(cluster.size(), image_.size_bytes()));
    if (donor_) {
      // Bitmaps and keys are the donor's own.
      const std::uint64_t limit =
          header.backing_file_offset > header.header_length ? header.backing_file_offset : cluster.size();
      const ExtensionWalk walk = walk_extensions(options_.donor, header.header_length, limit);
      std::vector<Extension> kept;
      for (const Extension& extension : walk.extensions)
        if (extension.type != ExtensionType::bitmaps) kept.push_back(extension);
      std::vector<std::byte> area;
      encode_extensions(kept, area);
      area.resize(std::max<std::size_t>(area.size(), walk.end - header.header_length));
      if (header.header_length + area.size() <= cluster.size())
        std::ranges::copy(area, cluster.begin() + header.header_length);
    }
    encode_header(header, cluster);
    return cluster;
  }

  const Context& before_;
  const Device& image_;
  const PlanOptions& options_;
  const std::string& outcome_;
  std::optional<Header> donor_;
  std::optional<std::uint64_t> size_;
  bool any_compressed_ = false;
  std::vector<Candidate> candidates_;
};

}  // namespace

std::expected<std::optional<HeaderChange>, std::string> rebuild_header(const Context& before,
                                                                       const PlanOptions& options,
                                                                       const std::string& outcome) {
  return HeaderRebuild(before, options, outcome).run();
}

}  // namespace cowvet
