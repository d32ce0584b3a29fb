#include "checker/report/html_structure.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <vector>

#include "checker/analysis/refcount_table.h"
#include "checker/analysis/tables.h"
#include "checker/report/html.h"
#include "checker/report/numbers.h"

namespace cowvet {
namespace {

constexpr std::size_t kMostItems = 100;  // of one list

std::string item(std::string_view label, const std::string& html) {
  return fmt::format("<li><span class=\"label\">{}</span> {}</li>\n", label, html);
}

// `items` are complete <li> elements.
std::string branch(const std::string& summary, const std::string& items) {
  return fmt::format("<li><details><summary>{}</summary>\n<ul>\n{}</ul></details></li>\n", summary, items);
}

// The first items of a list; make(element) gives a <li> for each.
template <typename List, typename Make>
std::string items_of(const List& list, Make make) {
  std::string items;
  std::size_t shown = 0;
  for (const auto& element : list) {
    if (shown++ == kMostItems) break;
    items += make(element);
  }
  if (list.size() > kMostItems)
    items += fmt::format("<li class=\"more\">and {} more</li>\n", list.size() - kMostItems);
  return items;
}

std::string at(std::uint64_t offset, std::uint64_t length) {
  return file_link(offset, length, fmt::format("at {:#x}", offset));
}

std::string features(std::uint64_t bits, std::initializer_list<std::pair<std::uint64_t, const char*>> names) {
  std::string text;
  for (const auto& [bit, name] : names)
    if (bits & bit) {
      text += (text.empty() ? "" : ", ") + std::string(name);
      bits &= ~bit;
    }
  if (bits != 0) text += fmt::format("{}unknown: {:#x}", text.empty() ? "" : ", ", bits);
  return text.empty() ? "none" : text;
}

std::string encryption(std::uint32_t method) {
  constexpr const char* kNames[] = {"none", "AES (legacy)", "LUKS"};
  return method < std::size(kNames) ? kNames[method] : fmt::format("unknown ({})", method);
}

std::string header_branch(const Context& context) {
  const Header& header = context.header;
  std::string items = item("version", fmt::format("{}", header.version));
  items += item("virtual size", fmt::format("{} ({} bytes)", human_bytes(header.size), header.size));
  items += item("cluster size", human_bytes(context.geometry.cluster_bytes));
  items += item("refcount width", counted(std::uint64_t{1} << header.refcount_order, "bit", "bits"));
  items += item("header length", fmt::format("{} bytes", header.header_length));
  items += item("incompatible features",
                features(header.incompatible_features, {{kIncompatibleDirty, "dirty"},
                                                        {kIncompatibleCorrupt, "corrupt"},
                                                        {kIncompatibleDataFile, "external data file"},
                                                        {kIncompatibleCompression, "compression type"},
                                                        {kIncompatibleExtendedL2, "extended L2 entries"}}));
  items += item("compatible features",
                features(header.compatible_features, {{kCompatibleLazyRefcounts, "lazy refcounts"}}));
  items += item("autoclear features",
                features(header.autoclear_features,
                         {{kAutoclearBitmaps, "bitmaps"}, {kAutoclearRawData, "raw external data"}}));
  items += item("encryption", encryption(header.crypt_method));
  items += item("compression", header.compression_type == 0   ? "deflate"
                               : header.compression_type == 1 ? "zstd"
                                                              : "unknown");
  return branch("Header " + at(0, header.header_length), items);
}

std::string extension_name(ExtensionType type) {
  switch (type) {
    case ExtensionType::end:
      return "end";
    case ExtensionType::backing_format:
      return "backing file format";
    case ExtensionType::feature_names:
      return "feature names";
    case ExtensionType::bitmaps:
      return "bitmaps";
    case ExtensionType::luks:
      return "encryption header";
    case ExtensionType::data_file_name:
      return "external data file name";
  }
  return fmt::format("unknown ({:#010x})", static_cast<std::uint32_t>(type));
}

std::string extensions_branch(const Context& context) {
  const auto& extensions = context.extensions.extensions;
  if (extensions.empty()) return "";
  return branch(fmt::format("Header extensions ({})", extensions.size()),
                items_of(extensions, [](const Extension& extension) {
                  return item(extension_name(extension.type),
                              fmt::format("{} {}", human_bytes(extension.data.size()),
                                          at(extension.offset, 8 + extension.data.size())));
                }));
}

std::string names_items(const Context& context, const Report& report) {
  std::string items;
  if (!report.backing_name.empty())
    items += item(
        "Backing file",
        fmt::format("{} ({})", html_text(report.backing_name),
                    report.backing_format.empty() ? "format not given" : html_text(report.backing_format)));
  if (context.header.has_data_file())
    items += item("External data file",
                  report.data_file_name.empty() ? "not named" : html_text(report.data_file_name));
  return items;
}

std::string l1_branch(const Context& context) {
  const Tables& tables = *context.tables;
  const std::uint64_t window = context.geometry.l2_window_bytes;
  std::vector<const L2Table*> active;
  for (const L2Table& table : tables.l2)
    if (table.active) active.push_back(&table);
  return branch(fmt::format("L1 table ({}, {}) {}", counted(context.header.l1_size, "entry", "entries"),
                            counted(active.size(), "L2 table", "L2 tables"),
                            at(context.header.l1_table_offset, std::uint64_t{context.header.l1_size} * 8)),
                items_of(active, [&](const L2Table* table) {
                  const GuestRange guest{table->l1_index * window, window};
                  return item(fmt::format("L2 table {}", table->l1_index),
                              at(table->offset, context.geometry.cluster_bytes) + " maps " +
                                  disk_link(guest, describe(guest)));
                }));
}

std::string refcounts_branch(const Context& context) {
  const RefcountTable& refcounts = *context.refcounts;
  return branch(
      fmt::format("Refcount table ({}) {}", counted(refcounts.blocks.size(), "block", "blocks"),
                  at(context.header.refcount_table_offset,
                     std::uint64_t{context.header.refcount_table_clusters} << context.geometry.cluster_bits)),
      items_of(refcounts.blocks, [&](const RefcountBlock& block) {
        return item(fmt::format("refcount block {}", block.index),
                    at(block.offset, context.geometry.cluster_bytes) +
                        (block.believed ? "" : " (not a refcount block)"));
      }));
}

std::string snapshot_item(const SnapshotRecord& record, std::uint64_t disk_bytes) {
  const Snapshot& snapshot = record.snapshot;
  std::string items = item("entry", at(record.entry_offset, sizeof(RawSnapshotHead)));
  items += item("L1 table", at(snapshot.l1_table_offset, std::uint64_t{snapshot.l1_size} * 8) +
                                (record.l1_usable ? "" : " (not usable)"));
  items += item("taken", fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                                     fmt::gmtime(static_cast<std::time_t>(snapshot.date_seconds))));
  items += item("disk size", human_bytes(snapshot.disk_size(disk_bytes)));
  items += item("VM state", human_bytes(snapshot.vm_state_size()));
  return branch(
      fmt::format("{} <span class=\"name\">{}</span>", html_text(snapshot.id), html_text(snapshot.name)),
      items);
}

std::string snapshots_branch(const Context& context) {
  if (context.snapshots.empty()) return "";
  return branch(
      fmt::format("Snapshots ({}) {}", context.snapshots.size(), at(context.header.snapshots_offset, 1)),
      items_of(context.snapshots,
               [&](const SnapshotRecord& record) { return snapshot_item(record, context.header.size); }));
}

std::string bitmap_item(const BitmapRecord& record) {
  const Bitmap& bitmap = record.bitmap;
  std::string flags = bitmap.flags & Bitmap::kInUse ? "in use" : "";
  if (bitmap.flags & Bitmap::kAuto) flags += flags.empty() ? "auto" : ", auto";
  std::string items = item("entry", at(record.entry_offset, sizeof(RawBitmapHead)));
  items += item("table", at(bitmap.table_offset, std::uint64_t{bitmap.table_size} * 8) +
                             (record.table_usable ? "" : " (not usable)"));
  items += item("granularity", bitmap.granularity_bits < 64
                                   ? human_bytes(std::uint64_t{1} << bitmap.granularity_bits)
                                   : "impossible");
  items += item("flags", flags.empty() ? "none" : flags);
  return branch(fmt::format("<span class=\"name\">{}</span>", html_text(bitmap.name)), items);
}

std::string bitmaps_branch(const Context& context) {
  if (context.bitmaps.empty()) return "";
  const std::string directory =
      context.bitmap_directory ? at(context.bitmap_directory->first, context.bitmap_directory->second) : "";
  return branch(fmt::format("Bitmaps ({}) {}", context.bitmaps.size(), directory),
                items_of(context.bitmaps, bitmap_item));
}

}  // namespace

std::string structure_tree(const Context& context, const Report& report) {
  if (!context.tables) return "<p>The header is damaged: what lies behind it cannot be told.</p>\n";
  std::string items = header_branch(context) + extensions_branch(context) + names_items(context, report);
  if (context.luks_area)
    items += item("Encryption header", at(context.luks_area->first, context.luks_area->second));
  if (context.l1_usable) items += l1_branch(context);
  if (context.refcounts && context.refcount_table_usable) items += refcounts_branch(context);
  items += snapshots_branch(context) + bitmaps_branch(context);
  return "<ul class=\"tree\">\n" + items + "</ul>\n";
}

}  // namespace cowvet
