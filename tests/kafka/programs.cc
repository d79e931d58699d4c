#include "kafka/programs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace thalweg::testing {

namespace {

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> all = more;
  for (char** entry = environ; *entry; ++entry) all.emplace_back(*entry);
  return all;  // The first of two of a name counts.
}

pid_t fork_program(const std::vector<std::string>& command, int in, int out,
                   const std::vector<std::string>& environment) {
  const auto arguments = pointers_to(command);
  const auto all = environment_with(environment);
  const auto variables = pointers_to(all);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("cannot fork");
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // It died before the line above.
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::execvpe(arguments[0], arguments.data(), variables.data());
  ::_exit(127);
}

}  // namespace

int wait_for_end(pid_t program) {
  int status = 0;
  ::waitpid(program, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

ProgramResult run_program(const std::vector<std::string>& command, const std::string& input) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) {
    throw std::runtime_error("cannot make a pipe");
  }
  const pid_t pid = fork_program(command, in[0], out[1], {});
  ::close(in[0]);
  ::close(out[1]);
  if (!input.empty() && ::write(in[1], input.data(), input.size()) < 0) {
    throw std::runtime_error(command.front() + " does not read its input");
  }
  ::close(in[1]);
  ProgramResult result;
  char buffer[4096];
  for (ssize_t size; (size = ::read(out[0], buffer, sizeof buffer)) > 0;) {
    result.output.append(buffer, static_cast<std::size_t>(size));
  }
  ::close(out[0]);
  result.exit_code = wait_for_end(pid);
  return result;
}

pid_t start_program(const std::vector<std::string>& command, const std::string& output,
                    const std::vector<std::string>& environment) {
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (in < 0 || out < 0) throw std::runtime_error("cannot open " + output);
  const pid_t pid = fork_program(command, in, out, environment);
  ::close(in);
  ::close(out);
  return pid;
}

}  // namespace thalweg::testing
