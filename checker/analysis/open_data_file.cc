// The external data file: whether it may be opened, whether it is there, whether it can be what it claims to
// be. Its length is judged by check_data_file_length, when the mapping is known, and its content by
// check_raw_data.
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "checker/analysis/extension_area.h"
#include "checker/analysis/passes.h"
#include "checker/device/follow.h"

namespace cowvet {
namespace {

// Where the image names its data file; the feature bit where it does not.
Place name_place(const Context& context) {
  const Extension* name = find_extension(context.extensions, ExtensionType::data_file_name);
  if (name == nullptr)
    return {.structure = Structure::header,
            .offset = offsetof(RawHeader, incompatible_features),
            .length = sizeof(Be64)};
  return {.structure = Structure::header_extension,
          .offset = name->offset,
          .length = sizeof(RawExtensionHead) + name->data.size()};
}

void report(Context& context, RuleId rule, std::string detail) {
  context.findings.add({.rule = rule, .place = name_place(context), .detail = std::move(detail)});
}

void report_name(Context& context, const std::string& name) {
  if (context.first_cluster.empty()) return;  // could not be read
  const NameKind kind = judge_name(name);
  if (kind == NameKind::empty) {
    report(context, rule("data-file/name-missing"),
           "the image has an external data file, but does not name it: whoever opens the image has to");
    return;
  }
  if (kind != NameKind::plain)
    report(context, rule("data-file/name-unsafe"),
           fmt::format("the data file name {} {}", excerpt(name), describe_name(kind)));
  if (kind == NameKind::plain || kind == NameKind::escapes)
    report(context, rule("data-file/name-relative"),
           fmt::format("QEMU looks for the data file {} in its working directory, not beside the image",
                       excerpt(name)));
}

// What the caller's rules make of `name`; without rules nothing is followed.
Companion open_companion(const OpenCompanion& open, const std::string& name) {
  if (!open) return {.path = name, .why = "no file that the image names was to be opened"};
  return open(name);
}

bool same_file(const std::optional<FileIdentity>& a, const std::optional<FileIdentity>& b) {
  return a && b && *a == *b;
}

// A data file that is the image itself would hold guest data and the metadata about it in the same bytes; one
// that is the backing file would change under the image that depends on it.
bool report_if_image(Context& context) {
  const std::optional<FileIdentity> identity =
      context.data_file.device ? context.data_file.device->identity() : context.data_file.identity;
  if (!identity) return false;
  if (same_file(identity, context.image.identity())) {
    report(context, rule("data-file/is-image"), "the data file is the image itself");
    return true;
  }
  const std::string& backing = context.report.backing_name;
  if (backing.empty()) return false;
  const Companion other = open_companion(context.inputs.open_backing, backing);
  if (!same_file(identity, other.device ? other.device->identity() : other.identity)) return false;
  report(context, rule("data-file/is-image"),
         fmt::format("the data file is the backing file, {}", excerpt(backing)));
  return true;
}

void report_if_not_open(Context& context) {
  const Companion& file = context.data_file;
  const std::string& name = context.report.data_file_name;
  if (file.state == Companion::State::missing)
    report(context, rule("data-file/missing"),
           fmt::format("the data file {} cannot be opened: {}", excerpt(file.path), file.why));
  if (file.state == Companion::State::not_followed)
    report(context, rule("data-file/not-examined"),
           name.empty() ? std::string("the image names no data file, and none was given")
                        : fmt::format("the data file {} was not followed: {}", excerpt(name), file.why));
}

}  // namespace

void open_data_file(Context& context) {
  if (!context.header.has_data_file()) return;
  const std::string& name = context.report.data_file_name;
  report_name(context, name);
  context.data_file = open_companion(context.inputs.open_data_file, name);
  if (context.data_file.device)
    context.data_file.device = std::make_unique<WatchedDevice>(
        File::data_file, std::move(context.data_file.device), context.failed_reads);
  const bool is_image = report_if_image(context);
  if (!is_image) report_if_not_open(context);
  // What is in a file that cannot be the data file says nothing.
  if (is_image) context.data_file = {.path = context.data_file.path, .why = "it cannot be a data file"};
  if (context.data_file.state == Companion::State::open)
    context.report.data_file_path = context.data_file.path;
}

}  // namespace cowvet
