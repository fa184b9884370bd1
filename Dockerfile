FROM node:20-bookworm-slim AS build
WORKDIR /nightshift
COPY . .
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
COPY --from=build /nightshift/dist /nightshift/dist
COPY --from=build /nightshift/schemas /nightshift/schemas
COPY --from=build /nightshift/node_modules /nightshift/node_modules
COPY --from=build /nightshift/package.json /nightshift/package.json
ENTRYPOINT ["node", "/nightshift/dist/cli.js"]
