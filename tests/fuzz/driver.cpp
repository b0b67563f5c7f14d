// fuzz_<parser> CORPUS [MUTATIONS]: runs a harness on every file of a folder, and on so many inputs (10,000)
// made of them by small changes, always the same ones. Needs no libFuzzer, but takes from a harness what
// libFuzzer does: LLVMFuzzerInitialize and LLVMFuzzerCustomMutator. An input that ends the process is left
// behind as crash-<parser>.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "harness.hpp"

extern "C" {
__attribute__((weak)) int LLVMFuzzerInitialize(int* argc, char*** argv);
__attribute__((weak)) std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                                          std::size_t most, unsigned seed);
std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);
}

namespace {

constexpr std::size_t kLongest = 1U << 16U;

std::string crash_file;  ///< where the input goes
std::string input;       ///< being read

extern "C" void keep_input(int number) {
  const int file = ::open(crash_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (::write(file, input.data(), input.size()) >= 0) {
    constexpr std::string_view kSaid = "an input ended the process: see ";
    static_cast<void>(::write(STDERR_FILENO, kSaid.data(), kSaid.size()) +
                      ::write(STDERR_FILENO, crash_file.data(), crash_file.size()) +
                      ::write(STDERR_FILENO, "\n", 1));
  }
  ::signal(number, SIG_DFL);
  ::raise(number);
}

std::vector<std::string> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const std::filesystem::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return corpus;
}

/// Changes inputs. mt19937 gives the same numbers everywhere.
class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

  std::string next() {
    std::string text = corpus_[below(corpus_.size())];
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      if (LLVMFuzzerCustomMutator != nullptr) {
        change_as_harness(text);
      } else {
        change(text);
      }
    }
    text.resize(std::min(text.size(), kLongest));
    return text;
  }

  void change(std::string& text) {
    static const std::vector<std::string> kPieces = {
        {'\0'},  "\xff", "\x7f",        "\x80", "\n",  "-",   "0",  "9",   "9999",     "\xff\xff\xff\xff",
        "\x1b[", "[",    "]",           "{",    "}",   "&a ", "*a", "\"",  ":",        ": ",
        "- ",    "? ",   "!!int ",      "'",    "|",   ">",   "#",  "\t",  "---\n",    "...\n",
        "~",     "<<",   "1e9",         "-1",   "yes", "@",   ",",  "\\u", "\xc3\xbc", "\xe2\x80\xae",
        "base",  "seed", "%YAML 1.2\n", "grid", "  "};
    const std::size_t at = below(text.size() + 1);
    switch (below(6)) {
      case 0:
        text.insert(at, kPieces[below(kPieces.size())]);
        break;
      case 1:
        text.replace(at, 1, kPieces[below(kPieces.size())]);
        break;
      case 2:
        text.erase(at, 1 + below(20));
        break;
      case 3:
        text.insert(at, piece());
        break;
      case 4:
        text.replace(at, 1 + below(8), piece());
        break;
      default:
        if (at < text.size()) {
          text[at] = static_cast<char>(static_cast<unsigned char>(text[at]) ^ (1U << below(8)));
        }
    }
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  /// A piece of any input.
  std::string piece() {
    const std::string& other = corpus_[below(corpus_.size())];
    return other.substr(below(other.size()), 1 + below(32));
  }

  void change_as_harness(std::string& text) {
    const std::size_t size = std::min(text.size(), kLongest);
    text.resize(kLongest);
    text.resize(LLVMFuzzerCustomMutator(reinterpret_cast<std::uint8_t*>(text.data()), size, kLongest,
                                        static_cast<unsigned>(random_())));
  }

  const std::vector<std::string>& corpus_;
  std::mt19937 random_{1};
};

Mutator* mutator = nullptr;  ///< what LLVMFuzzerMutate changes with

void run(const std::string& text) {
  input = text;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most) {
  std::string text(reinterpret_cast<const char*>(data), size);
  mutator->change(text);
  const std::size_t changed = std::min(text.size(), most);
  std::copy_n(text.begin(), changed, data);
  return changed;
}

int main(int argc, char** argv) {
  if (LLVMFuzzerInitialize != nullptr) {
    LLVMFuzzerInitialize(&argc, &argv);
  }
  const std::vector<std::string> corpus = argc > 1 ? read_corpus(argv[1]) : std::vector<std::string>();
  if (corpus.empty()) {
    std::fprintf(stderr, "usage: %s CORPUS [MUTATIONS]; expected a folder with files\n", argv[0]);
    return 2;
  }
  const int mutations = argc > 2 ? std::atoi(argv[2]) : 10000;
  crash_file = "crash-" + std::filesystem::path(argv[0]).filename().string();
  for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) {
    ::signal(number, keep_input);
  }
  for (const std::string& text : corpus) {
    run(text);
  }
  Mutator mutations_of(corpus);
  mutator = &mutations_of;
  for (int i = 0; i < mutations; ++i) {
    run(mutations_of.next());
  }
  std::printf("%zu inputs and %d mutations\n", corpus.size(), mutations);
  return 0;
}
