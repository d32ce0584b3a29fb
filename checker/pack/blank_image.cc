#include "checker/pack/blank_image.h"

#include <algorithm>
#include <array>
#include <set>

#include "checker/analysis/cluster_set.h"
#include "checker/analysis/l2_entry.h"
#include "checker/analysis/map_clusters.h"
#include "checker/analysis/passes.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/tables.h"
#include "checker/format/luks.h"
#include "checker/pack/blank_names.h"
#include "checker/pack/blank_streams.h"
#include "checker/report/json_report.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kSectorBytes = 512;
constexpr std::uint64_t kCopyBytes = 1 << 20;

// An L2 entry with reserved bits set: whoever looks for a table sees at once that this is none.
constexpr std::uint64_t kMark = 0x0100000000000002;

bool any_content(std::span<const std::byte> bytes) {
  return std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{0}; });
}

// One examination, with everything that was read for it.
struct Examined {
  Examined(const Inputs& inputs, const Options& options)
      : below(inputs),
        image(inputs.image, image_read),
        recorded{image, [this](const std::string& name) { return open_data_file(name); },
                 inputs.open_backing},
        context(recorded, options, progress) {
    run_passes(context);
    report = finish_report(context);
  }

  Companion open_data_file(const std::string& name) {
    if (!below.open_data_file) return {.path = name, .why = "no file that the image names was to be opened"};
    Companion companion = below.open_data_file(name);
    if (!companion.device) return companion;
    data_file = companion.device.get();
    const auto identity = companion.device->identity();
    data_file_is_image = identity && identity == below.image.identity();
    companion.device = std::make_unique<RecordingDevice>(std::move(companion.device), data_file_read);
    return companion;
  }

  const Inputs& below;
  ByteRanges image_read;
  ByteRanges data_file_read;
  RecordingDevice image;
  Inputs recorded;
  Progress progress;
  Context context;
  Report report;
  const Device* data_file = nullptr;  // to be used only while the context has it open
  bool data_file_is_image = false;
};

// Which clusters hold metadata, as far as can be told.
struct Metadata {  // NOLINT(bugprone-exception-escape): as of ClusterSet
  ClusterSet kept;
  ClusterSet doubtful;    // of these
  ClusterSet compressed;  // streams of the guest's
};

void add_area(ClusterSet& set, const Context& context, std::uint64_t offset, std::uint64_t length) {
  const unsigned bits = context.geometry.cluster_bits;
  if (length != 0) set.add(offset >> bits, ((offset + length - 1) >> bits) - (offset >> bits) + 1);
}

// What is metadata and something else as well, and what is compressed.
void look_at_map(Examined& examined, Metadata& metadata) {
  Context& context = examined.context;
  const unsigned bits = context.geometry.cluster_bits;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> kept;  // clusters, in order
  metadata.kept.for_each_run(
      [&](std::uint64_t first, std::uint64_t count) { kept.emplace_back(first, first + count); });
  auto next = kept.begin();
  map_clusters(context, [&](const ClusterExtent& extent) {
    const std::uint64_t begin = extent.offset >> bits;
    const std::uint64_t end = ((extent.offset + extent.length - 1) >> bits) + 1;
    const bool compressed = extent.structure == Structure::compressed_data;
    if (compressed) metadata.compressed.add(begin, end - begin);
    const bool doubtful =
        extent.state == ClusterState::contested || extent.structure == Structure::data || compressed;
    for (; next != kept.end() && next->second <= begin; ++next) {
    }
    for (auto run = next; doubtful && run != kept.end() && run->first < end; ++run) {
      const std::uint64_t from = std::max(begin, run->first);
      metadata.doubtful.add(from, std::min(end, run->second) - from);
    }
    return true;
  });
}

// The entry of a snapshot table at which it could not be understood any more belongs to no area.
void add_snapshot_table(const Context& context, ClusterSet& kept) {
  if (!context.snapshots_usable) return;
  std::uint64_t end = context.header.snapshots_offset;
  if (!context.snapshots.empty()) end = context.snapshots.back().entry_offset + sizeof(RawSnapshotHead);
  add_area(kept, context, context.header.snapshots_offset, end - context.header.snapshots_offset + 1);
}

// Whether most of what a table's entries seem to say makes no sense: guest data that a damaged L1 entry
// names. A few entries may be damaged in any table.
bool is_noise(const Context& context, std::uint64_t table_offset) {
  constexpr std::uint64_t kFew = 8;
  const EntryJudge judge(context);
  std::vector<std::byte> bytes(context.geometry.cluster_bytes);
  if (!context.image.read(table_offset, bytes)) return false;
  std::uint64_t used = 0;
  std::uint64_t wrong = 0;
  for (std::uint64_t at = 0; at < bytes.size(); at += context.geometry.l2_entry_bytes) {
    const auto raw = load_big_endian<std::uint64_t>(bytes.data() + at);
    const SubclusterBitmap subclusters{
        context.geometry.l2_entry_bytes == 16 ? load_big_endian<std::uint64_t>(bytes.data() + at + 8) : 0};
    if (raw == 0 && subclusters.raw == 0) continue;
    ++used;
    wrong += !judge.is_plausible(raw, subclusters);
  }
  return wrong > kFew && wrong > used / 2;
}

void add_tables_of_noise(const Examined& examined, ClusterSet& doubtful) {
  const Context& context = examined.context;
  std::set<std::uint64_t> tables;  // with findings
  for (const Finding& finding : examined.report.findings)
    if (finding.place.structure == Structure::l2_table && finding.place.file == File::image)
      tables.insert(finding.place.offset & ~(context.geometry.cluster_bytes - 1));
  for (const std::uint64_t offset : tables)
    if (is_noise(context, offset)) add_area(doubtful, context, offset, context.geometry.cluster_bytes);
}

Metadata find_metadata(Examined& examined) {
  Metadata metadata;
  Context& context = examined.context;
  const std::uint64_t cluster_bytes = context.geometry.cluster_bytes;
  add_area(metadata.kept, context, 0, cluster_bytes);
  for (const std::vector<Area>* areas : {&context.areas, &context.stale_areas})
    for (const Area& area : *areas) add_area(metadata.kept, context, area.offset, area.length);
  add_snapshot_table(context, metadata.kept);
  for (const Finding& finding : examined.report.findings)
    if (finding.rule == rule("refcount/orphan-mapping") &&
        (finding.place.structure == Structure::l1_table || finding.place.structure == Structure::l2_table))
      add_area(metadata.kept, context, finding.place.offset, cluster_bytes);
  if (!context.tables || !context.refcounts) return metadata;
  for (const RefcountBlock& block : context.refcounts->blocks)
    add_area(block.believed ? metadata.kept : metadata.doubtful, context, block.offset, cluster_bytes);
  for (const L2Table& table : context.tables->l2)
    add_area(table.walk ? metadata.kept : metadata.doubtful, context, table.offset, cluster_bytes);
  add_tables_of_noise(examined, metadata.doubtful);
  metadata.kept.merge(metadata.doubtful);
  look_at_map(examined, metadata);
  return metadata;
}

class Blanker {
 public:
  Blanker(Examined& examined, const BlankOptions& options)
      : examined_(examined), options_(options), metadata_(find_metadata(examined)) {}

  BlankImage run() {
    BlankImage blank{.is_qcow2 = examined_.report.is_qcow2,
                     .image = std::make_unique<BlankFile>(examined_.below.image),
                     .data_file_is_image = examined_.data_file_is_image};
    metadata_.doubtful.for_each_run(
        [&](std::uint64_t, std::uint64_t count) { blank.doubtful_clusters += count; });
    copy_metadata(blank.image->content);
    if (options_.analysis.deep && examined_.context.tables)
      blank.doubtful_clusters +=
          blank_streams(examined_.context, metadata_.kept, options_.keep_doubtful, blank.image->content);
    blank_luks(blank.image->content);
    if (options_.blank_names) blank_names(examined_.context, blank.image->content);
    if (examined_.context.data_file.state == Companion::State::open) {
      blank.data_file = std::make_unique<BlankFile>(*examined_.data_file);
      copy_data_file(blank.data_file->content);
    }
    return blank;
  }

 private:
  void copy_metadata(OverlayDevice& to) const;
  void copy_cluster(OverlayDevice& to, std::uint64_t begin, std::uint64_t end) const;
  void blank_luks(OverlayDevice& to) const;
  void copy_data_file(OverlayDevice& to) const;

  Examined& examined_;
  const BlankOptions& options_;
  const Metadata metadata_;
};

void Blanker::copy_metadata(OverlayDevice& to) const {
  const std::uint64_t cluster_bytes = examined_.context.geometry.cluster_bytes;
  for (const auto& [begin, end] : examined_.image_read.ranges())
    for (std::uint64_t at = begin; at < end;) {
      const std::uint64_t next = std::min(end, at - at % cluster_bytes + cluster_bytes);
      copy_cluster(to, at, next);
      at = next;
    }
}

// What was read of one cluster.
void Blanker::copy_cluster(OverlayDevice& to, std::uint64_t begin, std::uint64_t end) const {
  const std::uint64_t cluster = begin >> examined_.context.geometry.cluster_bits;
  const bool keep =
      metadata_.kept.contains(cluster) && (options_.keep_doubtful || !metadata_.doubtful.contains(cluster));
  std::vector<std::byte> bytes(std::min(kCopyBytes, end - begin));
  for (std::uint64_t at = begin; at < end; at += bytes.size()) {
    const std::span part = std::span(bytes).first(std::min<std::uint64_t>(bytes.size(), end - at));
    if (!examined_.below.image.read(at, part) || !any_content(part)) continue;
    if (keep) {
      to.write(at, part);
      continue;
    }
    if (metadata_.compressed.contains(cluster)) return;  // see blank_streams
    std::array<std::byte, 8> mark{};
    store_big_endian(mark.data(), kMark);
    const std::uint64_t start = cluster << examined_.context.geometry.cluster_bits;
    to.write(start, std::span(mark).first(std::min<std::uint64_t>(8, to.size_bytes() - start)));
    return;
  }
}

void Blanker::blank_luks(OverlayDevice& to) const {
  if (!examined_.context.luks_area) return;
  const std::uint64_t offset = examined_.context.luks_area->first;
  RawLuksHeader header{};
  const auto bytes = std::as_writable_bytes(std::span(&header, 1));
  if (offset + sizeof header > to.size_bytes() || !to.read(offset, bytes) || !any_content(bytes)) return;
  std::ranges::fill(header.digest, 0);
  std::ranges::fill(header.salt, 0);
  std::ranges::fill(header.uuid, 0);
  for (RawLuksKeySlot& slot : header.slots) std::ranges::fill(slot.salt, 0);
  to.write(offset, bytes);
}

// Sectors that were read keep the place of their first byte that is not zero, and nothing else.
void Blanker::copy_data_file(OverlayDevice& to) const {
  constexpr std::byte kOne{1};
  std::vector<std::byte> bytes(kCopyBytes);
  for (const auto& [begin, end] : examined_.data_file_read.ranges())
    for (std::uint64_t at = begin; at < end;) {
      const std::span part = std::span(bytes).first(std::min(kCopyBytes, end - at));
      if (examined_.data_file->read(at, part))
        for (std::uint64_t i = 0; i < part.size();) {
          const std::uint64_t sector =
              std::min<std::uint64_t>(part.size() - i, kSectorBytes - (at + i) % kSectorBytes);
          const auto in_sector = part.subspan(i, sector);
          const auto first =
              std::ranges::find_if(in_sector, [](std::byte byte) { return byte != std::byte{0}; });
          if (first != in_sector.end())
            to.write(at + i + static_cast<std::uint64_t>(first - in_sector.begin()), std::span(&kOne, 1));
          i += sector;
        }
      at += part.size();
    }
}

// The copy takes the place of the image and its data file; names are looked up as before.
Inputs inputs_of(const BlankImage& blank, const Inputs& inputs, const std::string& data_file_name,
                 ByteRanges& unused) {
  return {blank.image->content,
          [&blank, &inputs, &unused, data_file_name](const std::string& /*name*/) {
            if (!inputs.open_data_file)
              return Companion{.path = data_file_name,
                               .why = "no file that the image names was to be opened"};
            Companion companion = inputs.open_data_file(data_file_name);
            if (companion.device && blank.data_file)
              companion.device = std::make_unique<RecordingDevice>(blank.data_file->content, unused);
            return companion;
          },
          inputs.open_backing};
}

std::vector<Finding> findings_of(const Report& report, RuleId id) {
  const auto range = std::ranges::equal_range(report.findings, id, {}, &Finding::rule);
  return {range.begin(), range.end()};
}

RuleTotal total_of(const Report& report, RuleId id) {
  const auto at = std::ranges::find(report.totals, id, &RuleTotal::rule);
  return at == report.totals.end() ? RuleTotal{.rule = id} : *at;
}

std::vector<std::string> differences_of(const Report& before, const Report& after, bool names_blanked) {
  std::vector<std::string> rules;
  for (std::uint16_t row = 0; row < kRuleCount; ++row) {
    const RuleId id(row);
    const RuleTotal a = total_of(before, id);
    const RuleTotal b = total_of(after, id);
    const bool same = a.findings == b.findings && a.total == b.total && a.worst == b.worst &&
                      (names_blanked || findings_of(before, id) == findings_of(after, id));
    if (!same) rules.emplace_back(id->id);
  }
  const bool all_same =
      names_blanked || json_report(before, {}, JsonLayout::line) == json_report(after, {}, JsonLayout::line);
  if (rules.empty() && !all_same) rules.emplace_back("counters");
  return rules;
}

}  // namespace

BlankImage blank_image(const Inputs& inputs, const BlankOptions& options) {
  Options analysis = options.analysis;
  analysis.findings_per_rule = 0;
  Examined examined(inputs, analysis);
  BlankImage blank = Blanker(examined, options).run();
  ByteRanges unused;
  const Report after = analyze(inputs_of(blank, inputs, examined.report.data_file_name, unused), analysis);
  blank.differences = differences_of(examined.report, after, options.blank_names);
  return blank;
}

}  // namespace cowvet
