// Persistent bitmaps are auxiliary: the guest sees nothing of them. What can be put right is, and a lost
// directory is looked for; a bitmap for which neither helps is given up, alone and with consent.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "checker/analysis/bitmap_tables.h"
#include "checker/analysis/extension_area.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"
#include "checker/format/entries.h"
#include "checker/planning/bitmap_directory.h"
#include "checker/planning/lost_tables.h"
#include "checker/planning/round.h"

namespace cowvet {
namespace {

constexpr std::uint32_t kMostBitmaps = 65535;  // QEMU limit

// Whether another structure lies there as well: until that is settled, nothing is written there.
bool is_disputed(const Round& round, const Finding& finding) {
  const unsigned bits = round.context.geometry.cluster_bits;
  const std::uint64_t cluster = finding.place.offset >> bits;
  return round.context.references->contested(cluster) || round.context.refcounts->is_block(cluster << bits);
}

void clear_bytes(Round& round, const Finding& finding, std::string why) {
  round.editor.begin(finding.rule, Remedy::safe, std::move(why));
  round.editor.write(File::image, finding.place.offset, std::vector<std::byte>(finding.place.length));
}

void clear_reserved_field(Round& round, const Finding& finding) {
  clear_bytes(round, finding, "clear the reserved field");
}

void clear_padding(Round& round, const Finding& finding) {
  if (!is_disputed(round, finding)) clear_bytes(round, finding, "clear the padding");
}

void clear_entry_bits(Round& round, const Finding& finding) {
  if (is_disputed(round, finding)) return;
  round.editor.begin(finding.rule, Remedy::safe, "clear reserved bits").count = finding.count;
  for (std::uint64_t i = 0; i < finding.count; ++i) {
    const std::uint64_t at = finding.place.offset + i * 8;
    const BitmapTableEntry entry{round.editor.read_number<std::uint64_t>(File::image, at)};
    round.editor.write_number(File::image, at, entry.raw & ~entry.reserved());
  }
}

// The first byte of the tail may hold bits of the disk as well.
void clear_tail(Round& round, const Finding& finding) {
  const Context& context = round.context;
  const auto record = std::ranges::find_if(context.bitmaps, [&](const BitmapRecord& candidate) {
    return candidate.table_usable && candidate.owner() == finding.place.owner;
  });
  if (record == context.bitmaps.end() || is_disputed(round, finding)) return;
  const std::uint64_t granule = std::uint64_t{1} << record->bitmap.granularity_bits;
  const unsigned used_bits = divide_up(context.header.size, granule) % 8;
  std::vector<std::byte> tail(finding.place.length);
  tail[0] = std::byte{round.editor.read_number<std::uint8_t>(File::image, finding.place.offset)} &
            std::byte((1u << used_bits) - 1);
  round.editor.begin(finding.rule, Remedy::safe, "clear the bits behind the end of the disk");
  round.editor.write(File::image, finding.place.offset, tail);
}

RawBitmapsExtension raw_extension(Round& round) {
  RawBitmapsExtension raw{};
  const Extension* extension = find_extension(round.context.extensions, ExtensionType::bitmaps);
  if (extension) {
    const auto out = std::as_writable_bytes(std::span(&raw, 1));
    if (!round.editor.image().read(extension->offset + sizeof(RawExtensionHead), out)) return {};
  }
  return raw;
}

// The directory, where all that the extension says of it agrees but for one thing, which follows.
std::optional<DirectoryExtent> derive_directory(Round& round) {
  const RawBitmapsExtension raw = raw_extension(round);
  const std::uint64_t offset = raw.bitmap_directory_offset;
  const std::uint64_t length = raw.bitmap_directory_size;
  const bool placed = offset != 0 && round.context.aligned(offset) && round.context.in_file(offset, 1);
  if (placed && round.context.in_file(offset, length)) {
    const DirectoryExtent whole = measure_directory(round, offset, offset + length, kMostBitmaps);
    if (whole.count != 0 && whole.length == length) return whole;
  }
  if (raw.nb_bitmaps == 0 || raw.nb_bitmaps > kMostBitmaps) return std::nullopt;
  if (!placed) return find_lost_directory(round, length, raw.nb_bitmaps);
  const DirectoryExtent counted =
      measure_directory(round, offset, round.context.geometry.file_bytes, raw.nb_bitmaps);
  if (counted.count == raw.nb_bitmaps) return counted;
  return std::nullopt;
}

// Whether the chain of extensions goes on behind a bitmaps extension of the right length.
bool chain_goes_on(const Round& round) {
  const Extension* extension = find_extension(round.context.extensions, ExtensionType::bitmaps);
  return extension &&
         walk_extensions(round.context.first_cluster,
                         extension->offset + sizeof(RawExtensionHead) + sizeof(RawBitmapsExtension),
                         extension_area_limit(round.context))
             .terminated;
}

void derive_or_drop_directory(Round& round, const Finding& finding) {
  if (!round.is_asked_for(finding) || round.rewrote_bitmaps) return;
  const auto extent = chain_goes_on(round) ? derive_directory(round) : std::nullopt;
  if (extent) {
    round.rewrote_bitmaps = true;
    round.editor.begin(finding.rule, Remedy::safe,
                       fmt::format("say that the bitmap directory is at {:#x}, with {} bitmap(s) in {} bytes",
                                   extent->offset, extent->count, extent->length));
    name_directory(round, *extent);
    return;
  }
  if (round.may(finding, Remedy::metadata))
    drop_bitmaps_extension(round, finding, "give up all bitmaps: their directory cannot be found");
}

// Entries behind the last that makes sense are given up.
void derive_or_cut_directory(Round& round, const Finding& finding) {
  if (round.rewrote_bitmaps) return;
  if (derive_directory(round)) return derive_or_drop_directory(round, finding);
  if (!round.may(finding, Remedy::metadata)) return;
  drop_bitmaps(round, finding, "end the bitmap directory behind the last bitmap that is whole",
               [](const BitmapRecord&) { return false; });
}

void drop_stale(Round& round, const Finding& finding) {
  if (round.is_asked_for(finding) && round.may(finding, Remedy::metadata))
    drop_bitmaps_extension(round, finding, "drop bitmaps that are out of date");
}

// The bitmaps of whose directory entries or tables a rule has findings, by the offsets of their entries.
std::set<std::uint64_t> offenders(const Round& round, RuleId rule) {
  std::set<std::uint64_t> in_directory;
  std::set<std::uint64_t> in_tables;
  for (const Finding* finding : round.of_rule(rule))
    if (round.is_asked_for(*finding))
      (finding->place.structure == Structure::bitmap_directory ? in_directory : in_tables)
          .insert(finding->place.offset);
  const auto any_in = [](const std::set<std::uint64_t>& places, std::uint64_t offset, std::uint64_t length) {
    const auto first = places.lower_bound(offset);
    return first != places.end() && *first - offset < length;
  };
  std::set<std::uint64_t> entries;
  for (const BitmapRecord& record : round.context.bitmaps) {
    const std::uint64_t table_bytes = record.bitmap.table_size * std::uint64_t{8};
    if (any_in(in_directory, record.entry_offset, sizeof(RawBitmapHead)) ||
        (record.table_usable && any_in(in_tables, record.bitmap.table_offset, table_bytes)))
      entries.insert(record.entry_offset);
  }
  return entries;
}

void drop_offenders(Round& round, const Finding& finding) {
  if (round.rewrote_bitmaps || !round.may(finding, Remedy::metadata)) return;
  const std::set<std::uint64_t> dropped = offenders(round, finding.rule);
  std::string names;
  int named = 0;
  for (const BitmapRecord& record : round.context.bitmaps)
    if (dropped.contains(record.entry_offset) && ++named <= 3)
      names += (names.empty() ? "" : ", ") + excerpt(record.bitmap.name);
  drop_bitmaps(round, finding,
               fmt::format("give up the bitmap{} {}{}", dropped.size() == 1 ? "" : "s", names,
                           dropped.size() > 3 ? ", ..." : ""),
               [&](const BitmapRecord& record) { return dropped.contains(record.entry_offset); });
}

void drop_bitmap(Round& round, const Finding& finding) {
  if (round.is_asked_for(finding) && round.is_first_of(finding.rule)) drop_offenders(round, finding);
}

// As long as the size of the disk is in doubt, so is what the tables of its bitmaps should have.
void drop_misfit(Round& round, const Finding& finding) {
  if (round.context.findings.added(rule("header/size-beyond-l1")) == 0) drop_bitmap(round, finding);
}

void find_or_drop_table(Round& round, const Finding& finding) {
  if (!round.is_first_of(finding.rule)) return;
  const auto is_lost = [](const BitmapRecord& other) {
    return !other.table_usable && other.bitmap.table_size != 0;
  };
  const auto record = std::ranges::find_if(round.context.bitmaps, is_lost);
  if (record == round.context.bitmaps.end() || round.rewrote_bitmaps) return;
  const std::vector<std::uint64_t> offsets = lost_bitmap_tables(round, record->bitmap.table_size, false);
  if (offsets.size() != 1 ||
      needed_table_entries(round.context, record->bitmap) != record->bitmap.table_size ||
      std::ranges::count_if(round.context.bitmaps, is_lost) != 1)
    return drop_offenders(round, finding);
  round.editor.begin(finding.rule, Remedy::safe,
                     fmt::format("name the only lost bitmap table, at {:#x}", offsets[0]));
  round.editor.write_number(File::image, record->entry_offset + offsetof(RawBitmapHead, bitmap_table_offset),
                            offsets[0]);
}

constexpr RemedyRow kRows[] = {
    {rule("ext/bitmaps-reserved"), Stage::header, clear_reserved_field},
    {rule("ext/bitmaps-length"), Stage::header, derive_or_drop_directory},
    {rule("ext/bitmaps-count"), Stage::header, derive_or_drop_directory},
    {rule("ext/bitmaps-directory-unaligned"), Stage::header, derive_or_drop_directory},
    {rule("ext/bitmaps-directory-outside"), Stage::header, derive_or_drop_directory},
    {rule("ext/bitmaps-stale"), Stage::header, drop_stale},
    {rule("bitmap/directory-size"), Stage::tables, derive_or_cut_directory},
    {rule("bitmap/entry-truncated"), Stage::tables, derive_or_cut_directory},
    {rule("bitmap/padding"), Stage::entries, clear_padding},
    {rule("bitmap/entry-reserved"), Stage::entries, clear_entry_bits},
    {rule("bitmap/tail-bits"), Stage::entries, clear_tail},
    {rule("bitmap/table-unaligned"), Stage::auxiliary, find_or_drop_table},
    {rule("bitmap/table-outside"), Stage::auxiliary, find_or_drop_table},
    {rule("bitmap/table-size"), Stage::auxiliary, drop_misfit},
    {rule("bitmap/flags"), Stage::auxiliary, drop_bitmap},
    {rule("bitmap/type"), Stage::auxiliary, drop_bitmap},
    {rule("bitmap/granularity"), Stage::auxiliary, drop_bitmap},
    {rule("bitmap/name-empty"), Stage::auxiliary, drop_bitmap},
    {rule("bitmap/name-long"), Stage::auxiliary, drop_bitmap},
    {rule("bitmap/name-duplicate"), Stage::auxiliary, drop_bitmap},
    {rule("bitmap/extra-data"), Stage::auxiliary, drop_bitmap},
    {rule("bitmap/entry-unaligned"), Stage::auxiliary, drop_bitmap},
    {rule("bitmap/entry-outside"), Stage::auxiliary, drop_bitmap},
    {rule("bitmap/in-use"), Stage::auxiliary, drop_bitmap},
};

}  // namespace

std::span<const RemedyRow> bitmap_remedies() {
  return kRows;
}

}  // namespace cowvet
