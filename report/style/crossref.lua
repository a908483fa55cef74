-- Numbers figures, tables, equations and sections, and resolves @fig-x @tbl-x @eq-x @sec-x. Typst numbers by itself, so
-- there this writes its labels and references; in HTML it writes the numbers. A reference to nothing stops the report, unless it
-- is `partial`, of some runs only: then it becomes plain words.
local typst, lenient, partial = FORMAT == "typst", false, false
local names = { fig = "Figure", tbl = "Table", eq = "Equation", sec = "Section" }
local count, where, problems = { fig = 0, tbl = 0, eq = 0 }, {}, pandoc.List {}

local function raw(text) return pandoc.RawBlock(FORMAT, text) end
local function kind_of(label) return names[label:match("^(%a+)-")] and label:match("^(%a+)-") end
local function problem(text) if not problems:includes(text) then problems:insert(text) end end
local function enter(label, id, number)
  if where[label] then problem("the label " .. label .. " is used twice") end
  where[label] = { id = id, number = number }
end

-- The notebook's first heading is the title, and what stands under it goes before the contents; "##" opens a section.
local function title_page(doc)
  local front = pandoc.Blocks {}
  while doc.blocks[1] and (doc.blocks[1].t ~= "Header" or doc.blocks[1].level == 1) do
    local block = doc.blocks:remove(1)
    if block.t == "Header" then doc.meta.title = pandoc.MetaInlines(block.content) else front:insert(block) end
  end
  doc.blocks = doc.blocks:walk { Header = function(h) h.level = math.max(1, h.level - 1) return h end }
  return front
end

-- Sections are known by the identifier that pandoc makes from their words: "How to reproduce" is @sec-how-to-reproduce.
local function number_sections(blocks)
  local at = {}
  blocks:walk { Header = function(h)
    local number
    if not h.classes:includes("unnumbered") then
      at[h.level] = (at[h.level] or 0) + 1
      for level = h.level + 1, 6 do at[level] = nil end
      local parts = {}
      for level = 1, h.level do parts[level] = at[level] or 0 end
      number = table.concat(parts, ".")
    end
    enter(h.identifier:match("^sec%-") and h.identifier or "sec-" .. h.identifier, h.identifier, number)
  end }
end

local function caption_of(label, inlines)
  local kind = kind_of(label)
  count[kind] = count[kind] + 1
  enter(label, label, count[kind])
  if typst then return inlines end
  local head = pandoc.Span({ pandoc.Str(names[kind] .. "\u{a0}" .. count[kind] .. ".") }, pandoc.Attr("", { "number" }))
  return pandoc.Inlines { head, pandoc.Space() } .. inlines
end

-- How many lines a table takes, roughly: a short one stays in one piece, a long one breaks across pages.
local function lines(tbl)
  local sum, columns = 2, #tbl.colspecs
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do
      local most = 1
      for _, cell in ipairs(row.cells) do
        most = math.max(most, math.ceil(#pandoc.utils.stringify(cell.contents) * columns / 90))
      end
      sum = sum + most
    end
  end
  return sum
end

-- Typst does not break a word at an underscore or a slash: in a table it may.
local function breakable(s)
  if #s.text > 11 then return pandoc.Str((s.text:gsub("(%w[_/.])(%a)", "%1\u{200b}%2"))) end
end

local function table_exhibit(div, tbl, note)
  local columns, label = #tbl.colspecs, div.identifier
  local size = columns > 9 and "tiny" or columns > 6 and "small" or "normal"
  local caption = caption_of(label, pandoc.utils.blocks_to_inlines(tbl.caption.long))
  if typst then
    tbl = tbl:walk { Str = breakable }
    tbl.identifier, tbl.caption = label, pandoc.Caption { pandoc.Plain(caption) }
    local open = raw(('#exhibit(size: "%s", whole: %s, note: ['):format(size, lines(tbl) < 30))
    return pandoc.Blocks { open } .. note .. { raw("])["), tbl, raw("]") }
  end
  tbl.caption = pandoc.Caption()
  local out = pandoc.Blocks { raw(('<figure id="%s" class="table %s"><figcaption>'):format(label, size)),
    pandoc.Plain(caption), raw('</figcaption><div class="scroll" tabindex="0">'), tbl, raw("</div>") }
  if #note > 0 then out:insert(pandoc.Div(note, pandoc.Attr("", { "note" }))) end
  return out .. { raw("</figure>") }
end

local function figure_exhibit(div)
  local label, picture = div.identifier, pandoc.Plain(div.content[1].content)
  local caption = pandoc.Plain(caption_of(label, pandoc.utils.blocks_to_inlines { table.unpack(div.content, 2) }))
  if typst then return pandoc.Figure({ picture }, { caption }, pandoc.Attr(label)) end
  local open = raw(('<figure id="%s">'):format(label))
  return { open, picture, raw("<figcaption>"), caption, raw("</figcaption></figure>") }
end

local function div(d)
  if d.classes:includes("exhibit") and kind_of(d.identifier) then
    if d.content[1].t ~= "Table" then return figure_exhibit(d) end
    return table_exhibit(d, d.content[1], d.content[2] and d.content[2].content or pandoc.Blocks {})
  elseif (d.classes:includes("input") or d.classes:includes("answer")) and not typst then -- something to fold
    local head = raw(d.classes:includes("open") and "<details open><summary>" or "<details><summary>")
    local summary = pandoc.Plain { pandoc.Str(d.attributes.summary or "Code") }
    return pandoc.Blocks { head, summary, raw("</summary>") } .. d.content .. { raw("</details>") }
  elseif typst and (d.classes[1] == "standin" or d.classes[1] == "abstract") then
    return pandoc.Blocks { raw("#" .. d.classes[1] .. "[") } .. d.content .. { raw("]") }
  end
end

-- A formula is numbered when its label follows: $$...$$ {#eq-x}
local function paragraph(p)
  local out, k = pandoc.Inlines {}, 1
  while k <= #p.content do
    local formula, last = p.content[k], k + 1
    if p.content[last] and (p.content[last].t == "Space" or p.content[last].t == "SoftBreak") then last = last + 1 end
    local tail = formula.mathtype == "DisplayMath" and p.content[last] and p.content[last].text or ""
    local label = tail:match("^{#(eq%-[%w-]+)}$")
    if label then
      count.eq = count.eq + 1
      enter(label, label, count.eq)
      local number = pandoc.Span({ pandoc.Str("(" .. count.eq .. ")") }, pandoc.Attr("", { "number" }))
      local head, foot = pandoc.RawInline("typst", "#numbered["), pandoc.RawInline("typst", "<" .. label .. ">]")
      local span = pandoc.Span({ formula, number }, pandoc.Attr(label, { "equation" }))
      out:extend(typst and { head, formula, foot } or { span })
      k = last
    else
      out:insert(formula)
    end
    k = k + 1
  end
  p.content = out
  return p
end

local function reference(label)
  local found, kind = where[label], kind_of(label)
  if found and (found.number or kind ~= "sec") then
    if typst then return pandoc.RawInline("typst", ('#ref(label("%s"));'):format(found.id)) end
    return pandoc.Link(names[kind] .. "\u{a0}" .. found.number, "#" .. found.id)
  end
  if partial then return pandoc.Str(names[kind] .. " (not in this edition)") end
  problem((found and "no number to refer to: @" or "nothing has the label of @") .. label)
  return pandoc.Code(label)
end

local function cite(c)
  local ours = c.citations:filter(function(one) return kind_of(one.id) end)
  if #ours == 0 then return lenient and pandoc.Span(c.content) or nil end
  local out = pandoc.Inlines {}
  for k, one in ipairs(ours) do
    if k > 1 then out:extend { pandoc.Str(k == #ours and " and" or ","), pandoc.Space() } end
    if #one.prefix > 0 then out:extend(one.prefix) out:insert(pandoc.Space()) end
    out:insert(reference(one.id))
    out:extend(one.suffix)
  end
  if ours[1].mode ~= "AuthorInText" then out = pandoc.Inlines { pandoc.Str("(") } .. out .. { pandoc.Str(")") } end
  local publications = c.citations:filter(function(one) return not kind_of(one.id) end) -- "@fig-x [@lecun1998]" is one
  if #publications == 0 then return out end
  return out .. { pandoc.Space(), pandoc.Cite({ pandoc.Str("[" .. publications[1].id .. "]") }, publications) }
end

function Pandoc(doc)
  lenient, partial = doc.meta.lenient ~= nil, doc.meta.partial ~= nil
  local front = title_page(doc)
  number_sections(doc.blocks)
  local function numbered(blocks) return blocks:walk { Para = paragraph }:walk { traverse = "topdown", Div = div } end
  front, doc.blocks = numbered(front), numbered(doc.blocks)
  doc.meta.front, doc.blocks = pandoc.MetaBlocks(front:walk { Cite = cite }), doc.blocks:walk { Cite = cite }
  local known = {}
  for _, found in pairs(where) do known["#" .. found.id] = true end
  doc.blocks = doc.blocks:walk { Link = function(a)
    if not a.target:match("^#") or known[a.target] then return end
    if partial then return a.content end
    problem("a link to nothing: " .. a.target)
  end }
  if #problems > 0 and not lenient then
    io.stderr:write("problem: " .. table.concat(problems, "; ") .. "\n")
    os.exit(1)
  end
  return doc
end
