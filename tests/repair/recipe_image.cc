#include "tests/repair/recipe_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "checker/device/file_device.h"
#include "checker/device/journal_name.h"
#include "checker/planning/kept_record.h"
#include "corpus/library.h"
#include "corpus/output_files.h"
#include "repair/directory_storage.h"
#include "repair/file_writable_device.h"
#include "repair/kept_record_file.h"
#include "repair/repair_locks.h"
#include "repair/undo.h"

namespace cowvet {
namespace {

bool is_plain(const std::string& name) {
  return !name.empty() && name.size() < 256 &&
         name.find_first_of(std::string_view("/:\0", 3)) == std::string::npos;
}

void put(const std::string& path, std::span<const std::byte> bytes) {
  if (const auto written = corpus::write_sparse(path, bytes); !written)
    throw std::runtime_error(written.error());
}

Bytes read_file(const std::string& path) {
  Bytes bytes(std::filesystem::file_size(path));
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

// The device is borrowed: a check within a transaction sees what the transaction sees.
class Borrowed final : public Device {
 public:
  explicit Borrowed(const Device& device) : device_(device) {}
  const std::string& name() const override { return device_.name(); }
  std::uint64_t size_bytes() const override { return device_.size_bytes(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    return device_.read(offset, out);
  }
  std::optional<FileIdentity> identity() const override { return device_.identity(); }

 private:
  const Device& device_;
};

}  // namespace

const std::vector<corpus::Recipe>& all_recipes() {
  static const std::vector<corpus::Recipe> all =
      corpus::load_recipes(COWVET_SOURCE_DIR "/corpus/recipes").value();
  return all;
}

std::vector<std::size_t> repairable_recipes() {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < all_recipes().size(); ++i) {
    const corpus::Recipe& recipe = all_recipes()[i];
    if (recipe.kind == corpus::Kind::damaged && (*recipe.rule)->remedy != Remedy::none) indices.push_back(i);
  }
  return indices;
}

std::string test_name_of(const corpus::Recipe& recipe) {
  std::string name = recipe.name;
  std::ranges::replace_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
}

std::string describe(const std::vector<RuleTotal>& totals) {
  std::string text;
  for (const RuleTotal& total : totals) text += fmt::format("{} x{}; ", total.rule->id, total.total);
  return text;
}

RecipeImage::RecipeImage(const corpus::Recipe& recipe, const corpus::BuiltImage& built,
                         const std::filesystem::path& directory)
    : directory_(directory), path_(directory / "a.qcow2"), deep_(recipe.check_deep) {
  put(path_, built.image);
  if (built.data_file && recipe.data_file->found == corpus::DataFile::Found::yes) {
    const std::string name = recipe.data_file_name();
    data_path_ = directory / (is_plain(name) ? name : "data");
    put(data_path_, *built.data_file);
  }
  if (built.backing_file && is_plain(recipe.backing->name))
    put(directory / recipe.backing->name, *built.backing_file);
}

template <typename Use>
auto RecipeImage::with_inputs(Use use) const {
  const auto image = FileDevice::open(path_);
  if (!image) throw std::runtime_error(image.error().message);
  const Inputs inputs{**image,
                      [this](const std::string& name) {
                        Companion companion{
                            .state = Companion::State::missing, .path = name, .why = "not there"};
                        auto opened = FileDevice::open(data_path_);
                        if (!opened) return companion;
                        companion.state = Companion::State::open;
                        companion.path = data_path_;
                        companion.device = *std::move(opened);
                        return companion;
                      },
                      {}};
  return use(inputs);
}

Report RecipeImage::check(bool deep) const {
  return with_inputs([&](const Inputs& inputs) {
    return analyze(inputs, {.threads = 1, .deep = deep, .findings_per_rule = 0});
  });
}

std::expected<Plan, std::string> RecipeImage::plan(const PlanOptions& options) const {
  return with_inputs([&](const Inputs& inputs) {
    PlanOptions one_thread = options;
    one_thread.threads = 1;
    one_thread.most_held_bytes = 0;  // so that plans name what they copy
    one_thread.kept = read_kept_record(kept_path_of(path_)).value();
    return make_plan(inputs, one_thread);
  });
}

std::expected<void, std::string> RecipeImage::check_again(const Device& image, const Device* data_file,
                                                          const std::string& note) const {
  const Inputs inputs{image,
                      [data_file](const std::string& name) {
                        Companion companion{
                            .state = Companion::State::missing, .path = name, .why = "not there"};
                        if (!data_file) return companion;
                        companion.state = Companion::State::open;
                        companion.device = std::make_unique<Borrowed>(*data_file);
                        return companion;
                      },
                      {}};
  const Report report = analyze(inputs, {.threads = 1, .deep = deep_, .findings_per_rule = 0});
  if (describe(report.totals) == note) return {};
  return std::unexpected(fmt::format("found {} instead of {}", describe(report.totals), note));
}

template <typename Use>
RepairResult RecipeImage::with_files(Use use) const {
  auto image = FileWritableDevice::open(path_);
  if (!image) throw std::runtime_error(image.error().message);
  if (const auto locks = take_locks((*image)->descriptor(), kRepairLocks); !locks)
    throw std::runtime_error(locks.error());
  std::unique_ptr<FileWritableDevice> data_file;
  if (!data_path_.empty()) {
    data_file = FileWritableDevice::open(data_path_).value();
    if (const auto locks = take_locks(data_file->descriptor(), kRepairLocks); !locks)
      throw std::runtime_error(locks.error());
  }
  DirectoryStorage storage(journal_path_of(path_), undo_path_of(path_));
  return use(RepairFiles{**image, data_file.get()}, storage);
}

RepairResult RecipeImage::repair(const Plan& plan) const {
  return with_files([&](const RepairFiles& files, JournalStorage& storage) -> RepairResult {
    auto changes = make_changes(plan, files, describe(plan.remaining));
    if (!changes) return {RepairResult::State::unchanged, changes.error()};
    const std::string record = kept_path_of(path_);
    const auto kept = join_kept(read_kept_record(record).value(), plan.kept);
    if (!write_kept_record(record, kept)) return {RepairResult::State::unchanged, "no record"};
    const TransactionOptions options{
        .check = [this](const Device& image, const Device* data_file, const std::string& note) {
          return check_again(image, data_file, note);
        }};
    return Transaction(files, storage, options).run(std::move(*changes));
  });
}

RepairResult RecipeImage::undo() const {
  return with_files(
      [](const RepairFiles& files, JournalStorage& storage) { return cowvet::undo(files, storage, {}); });
}

Contents RecipeImage::contents() const {
  return {read_file(path_), data_path_.empty() ? Bytes{} : read_file(data_path_)};
}

std::string RecipeImage::qemu_name() const {
  const Report report = check();
  nlohmann::json name{{"driver", "qcow2"}, {"file", {{"driver", "file"}, {"filename", "a.qcow2"}}}};
  if (report.header.crypt_method == static_cast<std::uint32_t>(CryptMethod::aes))
    name["encrypt.key-secret"] = "key";
  // A backing file that is not there holds nothing.
  if (!report.backing_name.empty() &&
      !(is_plain(report.backing_name) && std::filesystem::exists(directory_ / report.backing_name)))
    name["backing"] = nullptr;
  if (report.header.has_data_file() && !data_path_.empty() &&
      directory_ / report.data_file_name != data_path_)
    name["data-file"] = {{"driver", "file"},
                         {"filename", std::filesystem::path(data_path_).filename().string()}};
  return "json:" + name.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace cowvet
