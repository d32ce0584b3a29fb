// cowvet report: one HTML page about one image.
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "checker/analysis/passes.h"
#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"
#include "checker/cli/evidence_keeper.h"
#include "checker/cli/new_file.h"
#include "checker/cli/open_images.h"
#include "checker/cli/progress_display.h"
#include "checker/device/journal_name.h"
#include "checker/planning/kept_record.h"
#include "checker/report/html_report.h"

namespace cowvet {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kHelp =
    "Writes a page for people: the verdict, maps of the image file and of the guest's disk that can be "
    "zoomed,\n"
    "what was found and where, the structures of the image, and SHA-256 digests. It is one file that loads\n"
    "nothing, for any browser. The exit status is that of cowvet check.\n";

struct ReportOptions {
  ImageOptions image;
  Options analysis;
  Judging judging;
  std::string output;
  bool no_hash = false;
};

template <typename Digested>
std::optional<Sha256Digest> digest_or_warn(const Digested& digest, const std::string& path) {
  if (digest) return *digest;
  print_error(fmt::format("{}: no digest, bytes at {} could not be read", path, digest.error().offset));
  return std::nullopt;
}

int report_image(const std::string& path, const ReportOptions& options) {
  auto file = NewFile::make(options.output, "the report");
  if (!file) {
    print_error(file.error());
    return kExitIncomplete;
  }
  auto opened = open_image(path, options.image);
  if (!opened) {
    print_error(opened.error().message);
    return kExitIncomplete;
  }
  enter_sandbox({path}, options.image);
  Progress progress;
  const ProgressDisplay display(progress, path, {});
  EvidenceKeeper keeper(progress);
  if (options.image.evidence) keep_evidence(*opened, path, keeper);
  const Inputs inputs = opened->inputs();
  Options analysis = options.analysis;
  // What a repair left beside the image counts as it does for check.
  const auto kept = load_kept(path, options.image.journal);
  if (kept) analysis.kept = *kept;
  Context context(inputs, analysis, progress);
  run_passes(context);
  Report report = finish_report(context);
  report.unfinished_journal = find_unfinished_journal(path, options.image.journal);
  ImageDigests digests;
  if (!options.no_hash && !options.image.evidence)
    digests.image = digest_or_warn(sha256_of_device(*opened->image), path);
  if (context.tables) digests.metadata = digest_or_warn(sha256_of_metadata(context), path);
  keeper.close(report);
  const std::string page = html_report(context, report, options.judging, digests);
  file->stream() << page;
  if (const std::string wrong = file->keep(); !wrong.empty()) {
    print_error(wrong);
    return kExitIncomplete;
  }
  if (!kept) print_error(kept.error());
  return kept ? exit_status_of(report, options.judging) : kExitIncomplete;
}

}  // namespace

int run_report(const Arguments& arguments) {
  ReportOptions options;
  std::string limit = "20";
  std::string threads = "0";
  std::string max_memory = "0";
  std::vector<std::string> images;

  po::options_description listed("Options");
  listed.add_options()("output,o", po::value(&options.output)->value_name("FILE"), "the new file to write");
  add_image_options(listed, options.image);
  add_evidence_option(listed, options.image);
  add_journal_option(listed, options.image);
  listed.add_options()  //
      ("limit", po::value(&limit)->value_name("N"),
       "findings listed for each rule (default 20, 0: as many as fit on a page)")     //
      ("strict", po::bool_switch(&options.judging.strict), "notices are errors too")  //
      ("deep", po::bool_switch(&options.analysis.deep),
       "also decode every compressed cluster and read bitmap data and key material")  //
      ("no-hash", po::bool_switch(&options.no_hash),
       "leave out the digest of the image, for which the whole file is read")  //
      ("threads", po::value(&threads)->value_name("N"),
       "threads to use (default: one for each processor)")  //
      ("max-memory", po::value(&max_memory)->value_name("SIZE"),
       "memory for counting references, such as 512M (default: as much as the image needs)")  //
      ("help,h", "show this help");
  po::options_description all;
  all.add(listed).add_options()("image", po::value(&images));

  const auto wrong = [](std::string_view message) { return usage_error(message, "report"); };
  const auto values = parse_arguments(arguments, all, "image");
  if (!values) return wrong(values.error());
  if (values->contains("help")) return print_help("report", kHelp, listed);
  if (images.size() != 1) return wrong("one image is needed");
  if (options.no_hash && options.image.evidence)
    return wrong("--evidence is about digests: --no-hash leaves them out");
  if (options.output.empty()) return wrong("--output is needed: where to write the report");
  if (const auto message = check_image_options(options.image, 1); !message.empty()) return wrong(message);
  const auto findings = parse_number("limit", limit);
  if (!findings) return wrong(findings.error());
  const auto count = parse_threads(threads);
  if (!count) return wrong(count.error());
  const auto bytes = parse_size("max-memory", max_memory);
  if (!bytes) return wrong(bytes.error());
  options.analysis.findings_per_rule = *findings;
  options.analysis.threads = *count;
  options.analysis.max_memory_bytes = *bytes;
  options.judging.must_be_qcow2 = !options.image.format.empty();
  reserve_progress_signal();
  return report_image(images.front(), options);
}

}  // namespace cowvet
