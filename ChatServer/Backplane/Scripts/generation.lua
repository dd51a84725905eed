-- Stands before accept.lua and read.lua, behind: local generation = '…', which names the process that holds the data (GenerationScripts).
-- How many earlier epochs of a room are remembered.
local epochsKept = 4

-- A room's present epoch ends here: what Redis has of it is a true beginning. Answer: its past epochs and where each ended, newest first.
local function endEpoch(epoch, seq, past)
  local ended = { epoch .. ':' .. string.format('%d', seq) }
  for earlier in string.gmatch(past or '', '%S+') do
    if #ended < epochsKept then
      ended[#ended + 1] = earlier
    end
  end
  return table.concat(ended, ' ')
end

