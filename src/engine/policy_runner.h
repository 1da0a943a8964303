// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/lane.h"
#include "lanerope/policy.h"
#include "lanerope/resolve.h"
#include "lanerope/result.h"

namespace lanerope::engine {

// A running group as its policies need it.
class ActedOn {
 public:
  virtual ~ActedOn() = default;
  virtual const std::deque<Lane>& lanes() const = 0;
  virtual int32_t clock() const = 0;
  virtual std::vector<Event>& events() = 0;  // that have not been taken yet
  virtual void emit(Event event) = 0;
  // Throw InvalidRequest or DoesNotFit, with nothing changed.
  virtual void push(int32_t lane, std::string_view text) = 0;
  virtual void retire(int32_t lane) = 0;
  virtual int32_t spawn(const SpawnOptions& options, int32_t pool_cells) = 0;
  virtual void end_all(FinishReason reason) = 0;
};

// The policies of one group: shows them the group after each step, does what they ask for and tells of it.
class PolicyRunner final : private GroupStatus, private LaneActions {
 public:
  PolicyRunner(const ResolvedRequest& request, ActedOn& group);

  bool any() const { return !policies_.empty(); }
  // Whether what lanes draw is to be looked at (Lane::drew).
  bool reads_tokens() const { return reads_tokens_; }
  void after_step();
  const std::vector<PolicyAct>& acts() const { return acts_; }
  const std::string& note() const { return note_; }  // sentences joined by "; "
  void stop();                                       // the lanes have ended

 private:
  struct Named {
    std::string name;
    std::unique_ptr<Policy> policy;
  };
  bool may_act(const Named& of) const;
  template <typename Do>
  void act(PolicyAct act, Do perform);

  const ResolvedRequest& request() const override { return request_; }
  int32_t clock() const override { return group_.clock(); }
  int32_t n_lanes() const override { return static_cast<int32_t>(group_.lanes().size()); }
  LaneStatus lane(int32_t index) const override;
  std::optional<std::string> answer(int32_t lane) const override;
  std::vector<Vote> votes() const override;
  bool takes_lane() const override;

  void retire(int32_t lane, const std::string& reason) override;
  void push(int32_t lane, const std::string& text, const std::string& reason) override;
  int32_t add(const SpawnOptions& options, const std::string& reason) override;
  void end(FinishReason how, const std::string& reason) override;
  void note(const std::string& sentence) override;

  const ResolvedRequest& request_;
  ActedOn& group_;
  std::vector<Named> policies_;
  bool reads_tokens_ = false;
  const Named* acting_ = nullptr;  // the policy that is being asked
  bool stopped_ = false;
  std::vector<PolicyAct> acts_ = {};
  std::string note_ = {};
};

}  // namespace lanerope::engine
