#include "tests/bench/tables.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>

#include "tests/bench/rows.h"

namespace cowvet::bench {
namespace {

using Command = std::vector<std::string>;

Command check(const std::string& image, Command more = {}) {
  Command command{COWVET_PROGRAM, "check", "--output=json", image};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}
Command qemu_check(const std::string& image) {
  return {"qemu-img", "check", "--output=json", image};
}
Command floor_of(const std::string& image, unsigned threads = 4) {
  return {"/proc/self/exe", "--floor", image, "--floor-threads", std::to_string(threads)};
}

// Runs the commands in turn, `rounds` times; prepare() before each.
std::vector<Summary> in_turn(
    const std::vector<Command>& commands, unsigned rounds, const std::function<void()>& prepare = [] {}) {
  std::vector<std::vector<Cost>> costs(commands.size());
  for (unsigned round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < commands.size(); ++i) {
      prepare();
      costs[i].push_back(run(commands[i]));
    }
  std::vector<Summary> summaries;
  for (std::vector<Cost>& of_one : costs) summaries.push_back(summarize(std::move(of_one)));
  return summaries;
}

// Calls measure(row, image) for each row that is wanted, with its image there.
void for_each_row(const std::vector<Row>& rows, const Settings& settings,
                  const std::function<void(const Row&, const std::string&)>& measure) {
  for (const Row& row : rows) {
    if (!settings.only.empty() && row.name.find(settings.only) == std::string::npos) continue;
    // A file system may be too small for it, or end files before (ext4: at 16 TiB).
    std::string image;
    try {
      image = make_image(row);
    } catch (const std::runtime_error& error) {
      fmt::print("{:<42} skipped: {}\n", row.what, error.what());
      remove_image(row);
      continue;
    }
    measure(row, image);
    if (!settings.keep) remove_image(row);
  }
}

std::vector<Row> rows_named(std::initializer_list<const char*> names) {
  std::vector<Row> rows;
  for (const char* name : names) rows.push_back(find_row(name));
  return rows;
}

void forget(const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw std::runtime_error("cannot open " + file);
  fdatasync(descriptor);  // what is not written yet cannot be forgotten
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  close(descriptor);
}

std::string text_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

void measure_rows(const Settings& settings) {
  Table table("cowvet check beside qemu-img check, warm files",
              {"", "qemu-img ms", "cowvet ms", "floor ms", "qemu/cow", "cow/floor", "qemu MiB", "cowvet MiB",
               "target"});
  for_each_row(target_rows(), settings, [&](const Row& row, const std::string& image) {
    run(floor_of(image));  // from here on the file is warm
    const unsigned slow = row.slow_for_qemu ? settings.slow_rounds : settings.rounds;
    auto all = in_turn({qemu_check(image), check(image), floor_of(image)}, std::min(slow, settings.rounds));
    if (slow < settings.rounds) {
      auto others = in_turn({check(image), floor_of(image)}, settings.rounds);
      all[1] = others[0];
      all[2] = others[1];
    }
    table.line({row.what, milliseconds(all[0]), milliseconds(all[1]), milliseconds(all[2]),
                ratio(all[0], all[1]), ratio(all[1], all[2]), mebibytes(all[0]), mebibytes(all[1]),
                row.target});
    table.record(row.name, "qemu-img", all[0]);
    table.record(row.name, "cowvet", all[1]);
    table.record(row.name, "floor", all[2]);
  });
}

void measure_threads(const Settings& settings) {
  Table table("Against the floor with as many threads",
              {"", "threads", "cowvet ms", "floor ms", "cow/floor"});
  for_each_row(rows_named({"ordered-1T", "ordered-8T", "data-file-4T"}), settings,
               [&](const Row& row, const std::string& image) {
                 run(floor_of(image));
                 for (const unsigned threads : {1u, 2u, 4u}) {
                   const auto all = in_turn(
                       {check(image, {"--threads", std::to_string(threads)}), floor_of(image, threads)},
                       settings.rounds);
                   table.line({row.what, std::to_string(threads), milliseconds(all[0]), milliseconds(all[1]),
                               ratio(all[0], all[1])});
                   const std::string name = fmt::format("{}-{}-threads", row.name, threads);
                   table.record(name, "cowvet", all[0]);
                   table.record(name, "floor", all[1]);
                 }
               });
}

void measure_growth(const Settings& settings) {
  Table table("Growth", {"", "cowvet ms", "cowvet MiB"});
  for (const auto& rows : {growth_rows(), snapshot_rows()})
    for_each_row(rows, settings, [&](const Row& row, const std::string& image) {
      run(floor_of(image));
      const auto all = in_turn({check(image)}, settings.rounds);
      table.line({row.what, milliseconds(all[0]), mebibytes(all[0])});
      table.record(row.name, "cowvet", all[0]);
    });
}

void measure_cold(const Settings& settings) {
  Table table("Files that are not in memory", {"", "cowvet ms", "floor ms", "cow/floor"});
  for_each_row(rows_named({"ordered-1T", "ordered-8T", "scattered-64G", "data-file-4T"}), settings,
               [&](const Row& row, const std::string& image) {
                 const auto all =
                     in_turn({check(image), floor_of(image)}, settings.rounds, [&] { forget(image); });
                 table.line({row.what, milliseconds(all[0]), milliseconds(all[1]), ratio(all[0], all[1])});
                 table.record(row.name, "cowvet", all[0]);
                 table.record(row.name, "floor", all[1]);
               });
}

void measure_memory_cap(const Settings& settings) {
  Table table("Memory for references capped at 64 MiB", {"", "cowvet ms", "cowvet MiB", "same report"});
  for_each_row(rows_named({"ordered-8T"}), settings, [&](const Row& row, const std::string& image) {
    run(check(image), "report");
    const std::string report = text_of("report");
    run(check(image, {"--max-memory", "64M"}), "report");
    const bool same = text_of("report") == report;
    const auto all = in_turn({check(image, {"--max-memory", "64M"})}, settings.rounds);
    table.line({row.what, milliseconds(all[0]), mebibytes(all[0]), same ? "yes" : "NO"});
    table.record(row.name, "cowvet", all[0]);
  });
  std::filesystem::remove("report");
}

void measure_rebuild(const Settings& settings) {
  Table table("All refcounts rebuilt, the refcount table wiped",
              {"", "qemu-img ms", "cowvet ms", "qemu/cow", "qemu MiB", "cowvet MiB"});
  for_each_row(
      rows_named({"ordered-1T", "ordered-8T"}), settings, [&](const Row& row, const std::string& image) {
        const std::string damaged = "damaged.qcow2";
        const auto damage = [&] {
          const std::string wipe = fmt::format(
              "rm -f {0} {0}.cowvet-* && cp --reflink=auto --sparse=always {1} {0} && "
              "dd if=/dev/zero of={0} bs=64k seek=$((0x$(od -A n -t x1 -j 48 -N 8 {0} | tr -d ' ') / 65536)) "
              "count=1 "
              "conv=notrunc status=none && sync {0}",
              damaged, image);
          if (run({"sh", "-c", wipe}).status != 0)
            throw std::runtime_error("cannot damage a copy of " + image);
        };
        const auto all = in_turn({{"qemu-img", "check", "-q", "-r", "all", damaged},
                                  {COWVET_REPAIR_PROGRAM, "--yes", "-q", damaged}},
                                 settings.rounds, damage);
        table.line({row.what, milliseconds(all[0]), milliseconds(all[1]), ratio(all[0], all[1]),
                    mebibytes(all[0]), mebibytes(all[1])});
        table.record(row.name, "qemu-img", all[0]);
        table.record(row.name, "cowvet-repair", all[1]);
        run({"sh", "-c", "rm -f damaged.qcow2*"});
      });
}

void count_instructions(const Settings& settings) {
  Table table("Instructions of one thread, by callgrind", {"", "instructions"});
  for_each_row(rows_named({"small-64M", "ordered-1T", "scattered-64G", "data-file-4T", "snapshots-10"}),
               settings, [&](const Row& row, const std::string& image) {
                 Command command{"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"};
                 for (const std::string& word : check(image, {"--threads", "1", "--no-sandbox"}))
                   command.push_back(word);
                 const Cost cost = run(command, "callgrind");
                 const std::string text = text_of("callgrind");
                 constexpr std::string_view kBefore = "Collected : ";
                 const std::size_t at = text.find(kBefore);
                 if (cost.status != 0 || at == std::string::npos)
                   throw std::runtime_error("callgrind failed");
                 const std::uint64_t instructions = std::stoull(text.substr(at + kBefore.size()));
                 table.line({row.what, std::to_string(instructions)});
                 Table::records().push_back({{"row", row.name}, {"instructions", instructions}});
               });
  std::filesystem::remove("callgrind");
}

}  // namespace cowvet::bench
