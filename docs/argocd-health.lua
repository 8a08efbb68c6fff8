-- Health of a TokenSource for Argo CD. How to configure it: docs/gitops.md.
local health = { status = "Progressing", message = "Waiting for the operator" }

if obj.spec ~= nil and obj.spec.suspend then
  health.status = "Suspended"
  health.message = "spec.suspend is true: no token is requested"
  return health
end

local status = obj.status
if status == nil or status.conditions == nil then
  return health
end

-- A status of an older spec says nothing about this one.
if status.observedGeneration ~= nil and status.observedGeneration ~= obj.metadata.generation then
  health.message = "Waiting for the operator to act on the new spec"
  return health
end

local found = {}
for _, condition in ipairs(status.conditions) do
  found[condition.type] = condition
end

-- Somebody must act, also where an older token is still good.
if found.Stalled ~= nil and found.Stalled.status == "True" then
  health.status = "Degraded"
  health.message = found.Stalled.reason .. ": " .. found.Stalled.message
  return health
end

local ready = found.Ready
if ready == nil then
  return health
end
if ready.status == "True" then
  health.status = "Healthy"
  health.message = ready.message
  return health
end

health.message = ready.reason .. ": " .. ready.message
-- It is tried again by itself, but five failures in a row, about five minutes, are no start-up any more.
if ready.status == "False" and (status.consecutiveFailures or 0) >= 5 then
  health.status = "Degraded"
end
return health
