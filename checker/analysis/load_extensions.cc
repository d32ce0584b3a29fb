// Header extensions: a chain of type, length and data behind the header, up to an end marker. What each type
// says is judged against the header's feature bits: most errors here are two places that disagree on whether
// the image has something. The pointers to bitmaps and to the LUKS header: pointer_extensions.cc.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>

#include "checker/analysis/extension_area.h"
#include "checker/analysis/passes.h"
#include "checker/analysis/places.h"
#include "checker/analysis/pointer_extensions.h"

namespace cowvet {
namespace {

std::string_view name_of(ExtensionType type) {
  switch (type) {
    case ExtensionType::end:
      return "end marker";
    case ExtensionType::backing_format:
      return "backing format";
    case ExtensionType::feature_names:
      return "feature name table";
    case ExtensionType::bitmaps:
      return "bitmaps";
    case ExtensionType::luks:
      return "encryption header pointer";
    case ExtensionType::data_file_name:
      return "data file name";
  }
  return "";  // unknown
}

Place place_of_extension(const Extension& extension) {
  return {.structure = Structure::header_extension,
          .offset = extension.offset,
          .length = sizeof(RawExtensionHead) + extension.data.size()};
}

void report(Context& context, RuleId rule, const Extension& extension, std::string detail) {
  context.findings.add({.rule = rule, .place = place_of_extension(extension), .detail = std::move(detail)});
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

// "If the image has a backing file then the backing file name should be stored in the remaining space between
// the end of the header extension area and the end of the first cluster." An extension that runs into the
// name is too long, unless the chain is sound to an end marker and something like a name follows there: then
// the header looks for the name in the wrong place.
void check_overrun(Context& context) {
  ExtensionWalk& walk = context.extensions;
  if (!walk.overrun) return;
  const std::uint64_t name_at = context.header.backing_file_offset;
  const ExtensionWalk whole =
      walk_extensions(context.first_cluster, extension_area_begin(context), context.geometry.cluster_bytes);
  const bool name_behind = whole.terminated && whole.end < context.first_cluster.size() &&
                           context.first_cluster[whole.end] != std::byte{0};
  if (backing_name_usable(context) && name_behind) {
    const Place place = place_of(Structure::header, 0, &RawHeader::backing_file_offset);
    context.findings.add({.rule = rule("header/backing-name-overlap"),
                          .place = place,
                          .expected = whole.end,
                          .found = name_at,
                          .detail = fmt::format("the backing file name at offset {} lies on the header "
                                                "extensions, which end at {}",
                                                name_at, whole.end)});
    walk = whole;
    return;
  }
  const Place place{
      .structure = Structure::header_extension, .offset = walk.end, .length = sizeof(RawExtensionHead)};
  context.findings.add({.rule = rule("ext/overrun"),
                        .place = place,
                        .found = walk.overrun_length,
                        .detail = fmt::format("the extension of type {:#010x} claims {} bytes and leaves the "
                                              "extension area",
                                              walk.overrun_type, walk.overrun_length)});
  // It may be, or hide, the pointer to bitmaps or to the LUKS header.
  context.unknown_references.emplace_back("the header extensions behind a broken one");
}

// "0x00000000 - End of the header extension area". Where no extension fits before the area's end, none is
// needed: images of QEMU before 0.11 have their backing file name directly behind the header.
void check_unterminated(Context& context, std::uint64_t begin) {
  const ExtensionWalk& walk = context.extensions;
  if (walk.terminated || walk.overrun) return;
  const std::uint64_t limit = extension_area_limit(context);
  if (begin + sizeof(RawExtensionHead) > limit) return;
  const Place place{.structure = Structure::header_extension, .offset = walk.end};
  context.findings.add(
      {.rule = rule("ext/unterminated"),
       .place = place,
       .detail = fmt::format("the extension area ends at offset {} without an end marker", limit)});
}

// "Unless stated otherwise, each header extension type shall appear at most once in the same image." Of
// unknown types nothing can be said: theirs may be stated otherwise.
void check_duplicates(Context& context) {
  for (const Extension& extension : context.extensions.extensions) {
    const Extension* first = find_extension(context.extensions, extension.type);
    if (first->offset == extension.offset || name_of(extension.type).empty()) continue;
    const bool equal = std::ranges::equal(first->data, extension.data);
    context.findings.add({.rule = rule("ext/duplicate"),
                          .place = place_of_extension(extension),
                          .other = place_of_extension(*first),
                          .detail = fmt::format("the extension {} appears again, with {} data",
                                                name_of(extension.type), equal ? "the same" : "other")});
    if (!equal && (extension.type == ExtensionType::bitmaps || extension.type == ExtensionType::luks))
      context.unknown_references.emplace_back("a second header extension of one type");
  }
}

// Feature name table: 48 bytes an entry; "Type of feature" 0 to 2; "Bit number (valid values: 0-63)".
void check_feature_table(Context& context, const Extension& table) {
  RawFeatureName entry;
  const RuleId id = rule("ext/feature-table-length");
  if (table.data.size() % sizeof entry != 0)
    report(context, id, table,
           fmt::format("the feature name table has {} bytes, not a multiple of {}", table.data.size(),
                       sizeof entry));
  for (std::size_t at = 0; at + sizeof entry <= table.data.size(); at += sizeof entry) {
    std::memcpy(&entry, table.data.data() + at, sizeof entry);
    if (entry.type <= 2 && entry.bit <= 63) continue;
    const Place place{.structure = Structure::header_extension,
                      .offset = table.offset + sizeof(RawExtensionHead) + at,
                      .length = sizeof entry};
    context.findings.add({.rule = id,
                          .place = place,
                          .detail = fmt::format("the feature name table names bit {} of feature type {}",
                                                entry.bit, entry.type)});
  }
}

// "Backing file format name string". Without it, QEMU guesses the format from content that the guest of the
// backing file may have written.
void check_backing_format(Context& context, const Extension& format) {
  if (context.header.backing_file_offset == 0)
    report(context, rule("ext/backing-format-orphan"), format,
           fmt::format("the image has a backing format, {}, but no backing file", excerpt(format.text())));
  if (has_nul(format.text()))
    report(context, rule("ext/backing-format-nul"), format,
           fmt::format("the backing format {} has a NUL inside", excerpt(format.text())));
}

void check_backing_format_present(Context& context) {
  const Extension* format = find_extension(context.extensions, ExtensionType::backing_format);
  if (context.header.backing_file_offset == 0 || (format && !format->data.empty())) return;
  const Place place = place_of(Structure::header, 0, &RawHeader::backing_file_offset);
  context.findings.add({.rule = rule("ext/backing-format-missing"),
                        .place = place,
                        .detail = "the image has a backing file, but does not say of which format"});
}

// "An External Data File Name header extension may be present if this bit is set." A string without NUL.
void check_data_file_name(Context& context, const Extension& name) {
  if (!context.header.has_data_file())
    report(context, rule("ext/data-file-name-unexpected"), name,
           fmt::format("the image names a data file, {}, but the external data file bit is clear",
                       excerpt(name.text())));
  if (name.data.empty())
    report(context, rule("ext/data-file-name-empty"), name, "the data file name is empty");
  if (has_nul(name.text()))
    report(context, rule("ext/data-file-name-nul"), name,
           fmt::format("the data file name {} has a NUL inside", excerpt(name.text())));
}

}  // namespace

void load_extensions(Context& context) {
  if (context.first_cluster.empty()) return;  // could not be read
  const std::uint64_t begin = extension_area_begin(context);
  if (begin == context.geometry.cluster_bytes)
    context.unknown_references.emplace_back("the header extensions");
  context.extensions = walk_extension_area(context);

  check_overrun(context);
  check_unterminated(context, begin);
  check_duplicates(context);
  record_names(context, context.extensions);
  // The chain is walked as far as it can be believed.

  for (const Extension& extension : context.extensions.extensions) {
    if (find_extension(context.extensions, extension.type)->offset != extension.offset) continue;
    switch (extension.type) {
      case ExtensionType::end:
        break;
      case ExtensionType::backing_format:
        check_backing_format(context, extension);
        break;
      case ExtensionType::feature_names:
        check_feature_table(context, extension);
        break;
      case ExtensionType::bitmaps:
        check_bitmaps_extension(context, extension);
        break;
      case ExtensionType::luks:
        check_luks_extension(context, extension);
        break;
      case ExtensionType::data_file_name:
        check_data_file_name(context, extension);
        break;
    }
  }
  // What is absent can be said only of a chain that was seen as a whole.
  if (context.extensions.overrun || begin == context.geometry.cluster_bytes) return;
  check_backing_format_present(context);
  check_bitmaps_present(context);
  check_luks_present(context);
}

}  // namespace cowvet
