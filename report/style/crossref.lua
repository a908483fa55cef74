-- Numbers figures, tables, equations and sections, and resolves @fig-x @tbl-x @eq-x @sec-x. Typst numbers by itself, so
-- there this writes its labels and references; in HTML it writes the numbers. A reference to nothing stops the report, unless it
-- is `partial`, of some runs only: then it becomes plain words.
local typst, lenient, partial = FORMAT == "typst", false, false
local names = { fig = "Figure", tbl = "Table", eq = "Equation", sec = "Section", app = "Appendix" }
local COLUMN, FULL = 115, 166 -- mm: the text column of the PDF, and with it the margin column
local count, where, problems = { fig = 0, tbl = 0, eq = 0 }, {}, pandoc.List {}

local function raw(text) return pandoc.RawBlock(FORMAT, text) end
local function kind_of(label) return label:match("^(%a+)-") ~= "app" and names[label:match("^(%a+)-")] and label:match("^(%a+)-") end
local function problem(text) if not problems:includes(text) then problems:insert(text) end end
local function enter(label, id, number, name)
  if where[label] then problem("the label " .. label .. " is used twice") end
  where[label] = { id = id, number = number, name = name or names[kind_of(label)] }
end

-- The notebook's first heading is the title, and what stands under it goes before the contents; "##" opens a section.
local function title_page(doc)
  local front = pandoc.Blocks {}
  while doc.blocks[1] and (doc.blocks[1].t ~= "Header" or doc.blocks[1].level == 1) do
    local block = doc.blocks:remove(1)
    if block.t == "Header" then doc.meta.title = pandoc.MetaInlines(block.content) else front:insert(block) end
  end
  return front
end

-- A block of class `wide` makes the exhibits in it wide.
local function widened(d)
  if d.classes:includes("exhibit") or not d.classes:includes("wide") then return nil end
  return d.content:walk { Div = function(one) one.classes:insert("wide") return one end }
end

-- Sections are known by the identifier that pandoc makes from their words: "How to reproduce" is @sec-how-to-reproduce.
-- From the first section of class `appendix` on they are counted in letters. Also tells whether a publication is cited.
local function number_sections(blocks)
  local at, appendix, cites = {}, false, false
  local function cite(c) cites = cites or not kind_of(c.citations[1].id) end
  local function header(h)
    local number
    h.level = math.max(1, h.level - 1)
    if h.classes:includes("appendix") and not appendix then at, appendix = {}, true end
    if not h.classes:includes("unnumbered") then
      at[h.level] = (at[h.level] or 0) + 1
      for level = h.level + 1, 6 do at[level] = nil end
      local parts = {}
      for level = 1, h.level do parts[level] = at[level] or 0 end
      if appendix then parts[1] = string.char(64 + math.max(1, parts[1])) end
      number = table.concat(parts, ".")
      if not typst then h.attributes.number = number end
    end
    local label = h.identifier:match("^sec%-") and h.identifier or "sec-" .. h.identifier
    enter(label, h.identifier, number, appendix and names.app)
    if typst or h.classes:includes("appendix") then return h end
    h.content = { pandoc.Link(h.content, "#" .. h.identifier, "", pandoc.Attr("", { "anchor" })) }
    return h
  end
  return blocks:walk { Cite = cite, Header = header, Div = widened }, cites
end

local function is_table(block)
  return block.t == "Div" and block.classes:includes("exhibit") and block.content[1] and block.content[1].t == "Table"
end

local function caption_of(label, inlines)
  local kind = kind_of(label)
  count[kind] = count[kind] + 1
  enter(label, label, count[kind])
  if typst then return inlines end
  local head = pandoc.Span({ pandoc.Str(names[kind] .. "\u{a0}" .. count[kind] .. ".") }, pandoc.Attr("", { "number" }))
  return pandoc.Inlines { head, pandoc.Space() } .. inlines
end

-- How many lines a table takes, roughly: a short one stays in one piece, a long one breaks across pages; and how many
-- letters it would be wide on one line a row.
local function measured(tbl)
  local sum, columns, widest = 2, #tbl.colspecs, {}
  for _, body in ipairs(tbl.bodies) do
    for _, row in ipairs(body.body) do
      local most = 1
      for k, cell in ipairs(row.cells) do
        local long = utf8.len(pandoc.utils.stringify(cell.contents))
        most, widest[k] = math.max(most, math.ceil(long * columns / 90)), math.max(widest[k] or 3, long)
      end
      sum = sum + most
    end
  end
  local across = 0
  for _, long in pairs(widest) do across = across + long + 3 end
  return sum, across
end

-- The blocks of the body, then what was cited, then the appendices: each may be folded in HTML; in them exhibits stand
-- `plain`, without a margin column, and neighbouring tables of few columns in pairs.
local function with_appendices(blocks, cites)
  local out, appendix = pandoc.Blocks {}, false
  for _, block in ipairs(blocks) do
    local head = block.t == "Header" and block.level == 1
    if head and appendix and not typst then out:insert(raw("</details>")) end
    if head and not appendix and block.classes:includes("appendix") then
      appendix = true
      if cites and not lenient then
        out:insert(pandoc.Header(1, "References", pandoc.Attr("references", { "unnumbered" })))
        out:insert(pandoc.Div({}, pandoc.Attr("refs")))
      end
      if typst then out:insert(raw("#show: appendix")) end
    end
    if not appendix then
      out:insert(block)
    elseif head then
      out:extend(typst and { block } or { raw('<details class="appendix"><summary>'), block, raw("</summary>") })
    elseif typst and block.t == "Para" then
      out:extend { raw("#block(sticky: true)["), block, raw("]") } -- it introduces an exhibit, and goes where that goes
    else
      if block.t == "Div" then block.classes:insert("plain") end
      local few = is_table(block) and #block.content[1].colspecs < 6
      local small, last = few and select(2, measured(block.content[1])) < 75, out[#out]
      if small then block.classes:insert("paired") end
      if small and last.t == "Div" and last.classes[1] == "pair" then
        last.content:insert(block)
      else
        out:insert(small and pandoc.Div({ block }, pandoc.Attr("", { "pair" })) or block)
      end
    end
  end
  if appendix and not typst then out:insert(raw("</details>")) end
  return out
end

-- Where an exhibit stands: "plain" where it is, "wide" over both columns, "side" with its caption in the margin.
local function mode_of(div, wide)
  return div.classes:includes("plain") and "plain" or (wide or div.classes:includes("wide")) and "wide" or "side"
end

-- In a table Typst may break a long word at an underscore or a slash; the first cell of a row is its head.
local function breakable(s)
  if #s.text > 11 then return pandoc.Str((s.text:gsub("(%w[_/.])(%a)", "%1\u{200b}%2"))) end
end
local function heads(tbl)
  for _, row in ipairs(tbl.head.rows) do
    for _, cell in ipairs(row.cells) do cell.attributes.scope = "col" end
  end
  for _, body in ipairs(tbl.bodies) do
    body.row_head_columns = #tbl.colspecs > 1 and 1 or 0
    for _, row in ipairs(#tbl.colspecs > 1 and body.body or {}) do row.cells[1].attributes.scope = "row" end
  end
end

local function table_exhibit(div, tbl, note)
  local columns, label = #tbl.colspecs, div.identifier
  local long, across = measured(tbl)
  local size = columns > 9 and "tiny" or (columns > 6 or div.classes:includes("paired")) and "small" or "normal"
  local mode = mode_of(div, columns > 6 or across > 130)
  local caption = caption_of(label, pandoc.utils.blocks_to_inlines(tbl.caption.long))
  if typst then
    tbl = tbl:walk { Str = breakable }
    tbl.identifier, tbl.caption = label, pandoc.Caption { pandoc.Plain(caption) }
    local form = '#exhibit(size: "%s", mode: "%s", float: %s, whole: %s, note: ['
    local open = raw(form:format(size, mode, mode == "wide" and long < 24, long < 30)) -- a short one stays where it is told
    return pandoc.Blocks { open } .. note .. { raw("])["), tbl, raw("]") }
  end
  heads(tbl)
  tbl.caption = pandoc.Caption()
  local open = '<figure id="%s" class="table %s %s"><figcaption>'
  local out = pandoc.Blocks { raw(open:format(label, size, mode)), pandoc.Plain(caption) }
  if #note > 0 then out:insert(pandoc.Div(note, pandoc.Attr("", { "note" }))) end
  local scroll = '</figcaption><div class="scroll" tabindex="0" role="region" aria-label="Table %d">'
  return out .. { raw(scroll:format(count.tbl)), tbl, raw("</div></figure>") }
end

-- A picture has the size that its file names; where the text column is too narrow for that, it is wide.
local function figure_exhibit(div)
  local label, picture, mode = div.identifier, div.content[1].content[1], mode_of(div)
  local caption = pandoc.Plain(caption_of(label, pandoc.utils.blocks_to_inlines { table.unpack(div.content, 2) }))
  if picture.t == "Image" then
    local _, content = pandoc.mediabag.fetch(picture.src)
    local points = content:match("^<svg[^>]* width=\"([%d.]+)pt\"") -- ours: pandoc reads all of it for its size
    local size = points and { width = points, dpi_horz = 72 } or pandoc.image.size(content)
    local share = tonumber((picture.attributes.width or "100%"):match("[%d.]+"))
    local mm = 25.4 * size.width / size.dpi_horz * share / 100
    mode = mode_of(div, mm > COLUMN + 9)
    picture.attributes.width = ("%.4g%%"):format(math.min(100, 100 * mm / (mode == "side" and COLUMN or FULL)))
  end
  if typst then
    local open = raw(('#exhibit(mode: "%s", float: %s)['):format(mode, mode ~= "plain"))
    return { open, pandoc.Figure({ pandoc.Plain { picture } }, { caption }, pandoc.Attr(label)), raw("]") }
  end
  if picture.t ~= "Image" then return { raw(('<figure id="%s">'):format(label)), pandoc.Plain { picture }, raw("<figcaption>"), caption, raw("</figcaption></figure>") } end
  local open = '<figure id="%s" class="%s"><div class="picture"><a class="zoom" id="zoom-%s" href="#zoom-%s">'
  local close = ('</a><a class="close" href="#%s">Close</a></div><figcaption>'):format(label)
  return { raw(open:format(label, mode, label, label)), pandoc.Plain { picture }, raw(close), caption, raw("</figcaption></figure>") }
end

local function div(d)
  if d.classes:includes("exhibit") and kind_of(d.identifier) then
    if d.content[1].t ~= "Table" then return figure_exhibit(d) end
    return table_exhibit(d, d.content[1], d.content[2] and d.content[2].content or pandoc.Blocks {})
  elseif d.classes[1] == "pair" then
    local out = pandoc.Blocks { raw(typst and "#pair(" or '<div class="pair">') }
    for _, one in ipairs(d.content) do
      out = out .. (typst and { raw("[") } or {}) .. div(one) .. (typst and { raw("],") } or {})
    end
    return out .. { raw(typst and ")" or "</div>") }
  elseif (d.classes:includes("input") or d.classes:includes("answer")) and not typst then -- something to fold
    local head = raw(d.classes:includes("open") and "<details open><summary>" or "<details><summary>")
    local summary = pandoc.Plain { pandoc.Str(d.attributes.summary or "Code") }
    return pandoc.Blocks { head, summary, raw("</summary>") } .. d.content .. { raw("</details>") }
  elseif d.classes[1] == (typst and "screen" or "paper") then -- what only a screen can do, and what paper says of it
    return {}
  elseif d.classes[1] == "margin" and not typst then
    return pandoc.Blocks { raw('<div class="margin" role="note">') } .. d.content .. { raw("</div>") }
  elseif typst and (d.classes[1] == "standin" or d.classes[1] == "abstract" or d.classes[1] == "margin") then
    local name = d.classes:includes("plain") and "abstract" or d.classes[1] -- an appendix has no margin
    return pandoc.Blocks { raw("#" .. name .. "[") } .. d.content .. { raw("]") }
  end
end

-- A formula is numbered when its label follows: $$...$$ {#eq-x}
local function paragraph(p)
  if not p.content:find_if(function(one) return one.mathtype == "DisplayMath" end) then return nil end
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
    return pandoc.Link(found.name .. "\u{a0}" .. found.number, "#" .. found.id)
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
  doc.blocks = with_appendices(number_sections(doc.blocks))
  front = front:walk { Div = widened }
  local function numbered(blocks) return blocks:walk { Para = paragraph }:walk { traverse = "topdown", Div = div } end
  front, doc.blocks = numbered(front), numbered(doc.blocks)
  local known = {}
  for _, found in pairs(where) do known["#" .. found.id] = true end
  local function link(a)
    if not a.target:match("^#") or known[a.target] then return end
    if partial then return a.content end
    problem("a link to nothing: " .. a.target)
  end
  doc.meta.front = pandoc.MetaBlocks(front:walk { Cite = cite })
  doc.blocks = doc.blocks:walk { Cite = cite, Link = link }
  if #problems > 0 and not lenient then
    io.stderr:write("problem: " .. table.concat(problems, "; ") .. "\n")
    os.exit(1)
  end
  return doc
end
