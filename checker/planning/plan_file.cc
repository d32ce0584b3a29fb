#include "checker/planning/plan_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <istream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ostream>
#include <stdexcept>
#include <streambuf>
#include <utility>

#include "checker/planning/content_text.h"

namespace cowvet {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 2;

// What cannot be a plan; caught in read_plan, which knows the line.
struct NotAPlan : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Names in an image may hold any bytes; JSON text is UTF-8.
std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// JSON knows other numbers, too: fractions, negative ones, and some that are too large for any file.
std::uint64_t number(const Json& json, const char* key) {
  const Json& value = json.at(key);
  if (!value.is_number_unsigned()) throw NotAPlan(fmt::format("{} is not a whole number", key));
  return value;
}

// A few letters may ask for any number of bytes. No repair writes every byte of its files more than a few
// times, beside a cluster or less for each of its writes.
constexpr std::uint64_t kMostClusterBytes = 2 << 20;

std::uint64_t allowance_of(const Plan& plan) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 60;
  std::uint64_t bytes = std::min(plan.image.size_bytes, kMostBytes);
  if (plan.data_file) bytes += std::min(plan.data_file->size_bytes, kMostBytes);
  return 4 * bytes;
}

Json encode_binding(const Binding& binding) {
  Json json{{"path", binding.path}, {"size", binding.size_bytes}, {"metadata-hash", binding.metadata_hash}};
  if (binding.identity) {
    json["device"] = binding.identity->device;
    json["inode"] = binding.identity->inode;
  }
  return json;
}

Binding decode_binding(const Json& json) {
  Binding binding{.path = json.at("path"),
                  .size_bytes = number(json, "size"),
                  .metadata_hash = number(json, "metadata-hash")};
  if (json.contains("inode")) binding.identity = FileIdentity{number(json, "device"), number(json, "inode")};
  return binding;
}

Json encode_step(const Step& step, std::size_t number) {
  Json json{{"step", number},
            {"rule", step.rule->id},
            {"remedy", to_string(step.remedy)},
            {"outcome", step.outcome},
            {"why", step.why},
            {"phase", step.phase == Phase::structures ? "structures" : "pointers"},
            {"count", step.count},
            {"impact", Json::array()}};
  for (const GuestImpact& impact : step.impact)
    json["impact"].push_back({{"offset", impact.range.offset},
                              {"length", impact.range.length},
                              {"owner", impact.owner},
                              {"before", impact.before},
                              {"after", impact.after}});
  return json;
}

// The bytes go out as they are made: no text of them is ever whole in memory.
void write_step(const Step& step, std::size_t number, std::ostream& out) {
  std::string head = dump(encode_step(step, number));
  head.pop_back();  // the closing brace
  out << head << R"(,"writes":[)";
  const char* between = "";
  for (const Write& write : step.writes) {
    out << between
        << fmt::format(R"({{"target":"{}","offset":{},"old":")", to_string(write.target), write.offset);
    write_content(write.old_bytes, out);
    out << R"(","new":")";
    write_content(write.new_bytes, out);
    out << R"("})";
    between = ",";
  }
  out << "]}\n";
}

RuleId decode_rule(const std::string& id) {
  const std::uint16_t row = find_rule(id);
  if (row == kRuleCount) throw NotAPlan("unknown rule " + id);
  return RuleId(row);
}

Remedy decode_remedy(const std::string& name) {
  for (const Remedy remedy : {Remedy::none, Remedy::safe, Remedy::metadata, Remedy::choice, Remedy::lossy})
    if (to_string(remedy) == name) return remedy;
  throw NotAPlan("unknown remedy class " + name);
}

Content decode_bytes(const Json& json) {
  auto content = read_content(json.get_ref<const std::string&>());
  if (!content) throw NotAPlan(content.error());
  return std::move(*content);
}

Write decode_write(const Json& json) {
  const std::string target = json.at("target");
  if (target != "image" && target != "data-file") throw NotAPlan("unknown target " + target);
  Write write{.target = target == "image" ? File::image : File::data_file,
              .offset = number(json, "offset"),
              .old_bytes = decode_bytes(json.at("old")),
              .new_bytes = decode_bytes(json.at("new"))};
  if (write.old_bytes.size() != write.new_bytes.size()) throw NotAPlan("old and new bytes differ in length");
  return write;
}

Step decode_step(const Json& json) {
  const std::string phase = json.at("phase");
  if (phase != "structures" && phase != "pointers") throw NotAPlan("unknown phase " + phase);
  Step step{.rule = decode_rule(json.at("rule")),
            .remedy = decode_remedy(json.at("remedy")),
            .outcome = json.at("outcome"),
            .why = json.at("why"),
            .phase = phase == "structures" ? Phase::structures : Phase::pointers,
            .count = number(json, "count")};
  for (const Json& impact : json.at("impact"))
    step.impact.push_back({{number(impact, "offset"), number(impact, "length")},
                           impact.at("owner"),
                           impact.at("before"),
                           impact.at("after")});
  return step;
}

void decode_head(const Json& json, Plan& plan) {
  if (json.at("plan") != kVersion) throw NotAPlan("a plan of another version");
  plan.deep = json.at("deep");
  plan.image = decode_binding(json.at("image"));
  if (json.contains("data-file")) plan.data_file = decode_binding(json.at("data-file"));
  plan.image_bytes_after = number(json, "image-size-after");
  plan.data_file_bytes_after = number(json, "data-file-size-after");
}

void decode_end(const Json& json, Plan& plan) {
  if (json.at("steps") != plan.steps.size()) throw NotAPlan("steps are missing");
  for (const Json& total : json.at("remaining"))
    plan.remaining.push_back(
        {decode_rule(total.at("rule")), number(total, "findings"), number(total, "total")});
  plan.consent_needed = json.at("consent-needed").get<std::vector<std::string>>();
  for (const Json& run : json.at("kept"))
    plan.kept.push_back({number(run, "offset"), number(run, "length"), number(run, "hash")});
  plan.unfit = json.at("unfit");
}

// The characters of one line.
class LineIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  LineIterator() = default;  // behind the last
  explicit LineIterator(std::streambuf& from) : from_(&from) {}

  char operator*() const { return Traits::to_char_type(from_->sgetc()); }
  LineIterator& operator++() {
    from_->sbumpc();
    return *this;
  }
  bool operator==(const LineIterator& other) const { return is_at_end() == other.is_at_end(); }

 private:
  using Traits = std::char_traits<char>;
  bool is_at_end() const {
    if (!from_) return true;
    const auto next = from_->sgetc();
    return Traits::eq_int_type(next, Traits::eof()) || Traits::to_char_type(next) == '\n';
  }

  std::streambuf* from_ = nullptr;
};

// Goes through the text once. Of a step's writes, one at a time is in memory as text.
class PlanReader {
 public:
  explicit PlanReader(std::streambuf& from) : from_(from) {}

  bool has_line() { return from_.sgetc() != std::char_traits<char>::eof(); }

  // True: that was the last line.
  bool read_line() {
    std::vector<Write> writes;
    std::string key;
    const auto take_writes = [&](int depth, Json::parse_event_t event, Json& parsed) {
      constexpr int kMembers = 1;
      constexpr int kElements = 2;
      if (event == Json::parse_event_t::key && depth == kMembers) key = parsed.get<std::string>();
      if (event != Json::parse_event_t::object_end || depth != kElements || key != "writes") return true;
      writes.push_back(decode_write(parsed));
      allow(writes.back());
      return false;
    };
    const Json json = Json::parse(LineIterator(from_), LineIterator(), take_writes);
    from_.sbumpc();  // the line's end
    if (!has_head_) {
      has_head_ = true;
      decode_head(json, plan_);
      allowance_ = allowance_of(plan_);
    } else if (json.contains("end")) {
      decode_end(json, plan_);
      check_growth();
      return true;
    } else {
      if (json.at("step") != plan_.steps.size() + 1) throw NotAPlan("a step is missing");
      plan_.steps.push_back(decode_step(json));
      plan_.steps.back().writes = std::move(writes);
    }
    return false;
  }

  Plan take() { return std::move(plan_); }

 private:
  void allow(const Write& write) {
    const std::uint64_t length = write.new_bytes.size();
    ++writes_;
    if (length > kMostClusterBytes && length - kMostClusterBytes > allowance_)
      throw NotAPlan("it writes more than there can be to repair");
    if (length > kMostClusterBytes) allowance_ -= length - kMostClusterBytes;
  }

  // Rebuilt tables are no larger than what they describe. A data file may grow by any hole.
  void check_growth() const {
    constexpr std::uint64_t kMostTableBytes = 64 << 20;
    const std::uint64_t before = plan_.image.size_bytes;
    const std::uint64_t after = plan_.image_bytes_after;
    if (after > before && after - before > kMostTableBytes &&
        after - before - kMostTableBytes > before + writes_ * kMostClusterBytes)
      throw NotAPlan("it makes the image longer than there can be to write");
  }

  std::streambuf& from_;
  Plan plan_;
  bool has_head_ = false;
  std::uint64_t writes_ = 0;
  std::uint64_t allowance_ = 0;  // bytes that may still be written beyond a cluster for each write
};

}  // namespace

void write_plan(const Plan& plan, std::ostream& out) {
  Json head{{"plan", kVersion}, {"deep", plan.deep}, {"image", encode_binding(plan.image)}};
  if (plan.data_file) head["data-file"] = encode_binding(*plan.data_file);
  head["image-size-after"] = plan.image_bytes_after;
  head["data-file-size-after"] = plan.data_file_bytes_after;
  out << dump(head) << '\n';
  for (std::size_t i = 0; i < plan.steps.size(); ++i) write_step(plan.steps[i], i + 1, out);
  Json end{{"end", true}, {"steps", plan.steps.size()}, {"remaining", Json::array()}};
  for (const RuleTotal& total : plan.remaining)
    end["remaining"].push_back(
        {{"rule", total.rule->id}, {"findings", total.findings}, {"total", total.total}});
  end["consent-needed"] = plan.consent_needed;
  end["kept"] = Json::array();
  for (const KeptRun& run : plan.kept)
    end["kept"].push_back({{"offset", run.offset}, {"length", run.length}, {"hash", run.hash}});
  end["unfit"] = plan.unfit;
  out << dump(end) << '\n';
}

// "[json.exception.out_of_range.403] key 'step' not found": the number is for programmers.
std::string_view without_id(std::string_view message) {
  const std::size_t end = message.find("] ");
  return message.starts_with("[json.") && end != std::string_view::npos ? message.substr(end + 2) : message;
}

std::expected<Plan, std::string> read_plan(std::istream& in) {
  PlanReader reader(*in.rdbuf());
  for (std::size_t number = 1; reader.has_line(); ++number) {
    try {
      if (reader.read_line()) return reader.take();
    } catch (const NotAPlan& error) {
      return std::unexpected(fmt::format("line {}: {}", number, error.what()));
    } catch (const Json::parse_error& error) {
      return std::unexpected(fmt::format("line {}: not JSON at byte {} of it", number, error.byte));
    } catch (const Json::exception& error) {
      return std::unexpected(fmt::format("line {}: {}", number, without_id(error.what())));
    }
  }
  return std::unexpected(std::string("the plan ends before its last line"));
}

}  // namespace cowvet
